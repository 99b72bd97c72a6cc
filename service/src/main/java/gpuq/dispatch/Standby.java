package gpuq.dispatch;

import gpuq.job.JobStore;
import gpuq.placement.Board;
import gpuq.placement.Work;
import gpuq.sync.NodeMemory;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** The board of a server that does not lead: what the leading one has written of its nodes, with the jobs that the database knows there. */
public final class Standby {
    private static final Duration GOOD_FOR = Duration.ofSeconds(1);

    private final JobStore store;
    private final NodeMemory memory;
    private final Supplier<Map<Integer, String>> addresses;
    private final InstantSource clock;
    private volatile Optional<Made> last = Optional.empty();

    private record Made(Board board, long at) {}

    /** @param addresses of the configured nodes, by their ids */
    public Standby(JobStore store, NodeMemory memory, Supplier<Map<Integer, String>> addresses, InstantSource clock) {
        this.store = store;
        this.memory = memory;
        this.addresses = addresses;
        this.clock = clock;
    }

    /** It may be a second old. */
    Board board() {
        return last.filter(made -> System.nanoTime() - made.at() <= GOOD_FOR.toNanos()).orElseGet(() -> {
            Made now = new Made(made(), System.nanoTime());
            last = Optional.of(now);
            return now;
        }).board();
    }

    private Board made() {
        Instant now = clock.instant();
        Board board = new Board(Set.of());
        addresses.get().forEach((id, address) -> {
            board.add(id, address, now);
            memory.find(id).ifPresent(known -> board.remember(id, known.capacity()));
        });
        memory.standings().forEach(board::recall);
        store.unfinished().forEach(job -> job.state().node().ifPresent(on -> board.take(on, Work.of(job, Set.of()))));
        return board;
    }
}
