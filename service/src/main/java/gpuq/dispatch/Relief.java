package gpuq.dispatch;

import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.State;
import gpuq.node.JobRecord;
import gpuq.node.JobRecord.How;
import gpuq.node.Node;
import gpuq.node.NodeRefused;
import gpuq.node.NodeUnreachable;
import gpuq.node.Unreadable;
import gpuq.placement.Board;
import gpuq.placement.Work;
import gpuq.sync.Progress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Takes waiting jobs back from one node when another could start them at once, or when this one starts no more. The node decides: what has started
 * meanwhile is not moved. Killed in between, the node's list tells that the job was withdrawn, and it is placed anew.
 */
final class Relief implements Runnable {
    static final Duration BETWEEN = Duration.ofSeconds(1);
    private static final int AT_ONCE = 50;

    /** What could not be moved holds up no other, and is not asked for again at once. */
    private static final Duration REST = Duration.ofSeconds(10);

    private final int id;
    private final Node node;
    private final Board board;
    private final JobStore store;
    private final Progress progress;
    private final Nodes nodes;
    private final InstantSource clock;
    private final Map<UUID, Instant> resting = new HashMap<>();

    Relief(int id, Node node, Board board, JobStore store, Progress progress, Nodes nodes, InstantSource clock) {
        this.id = id;
        this.node = node;
        this.board = board;
        this.store = store;
        this.progress = progress;
        this.nodes = nodes;
        this.clock = clock;
    }

    @Override
    public void run() {
        Instant now = clock.instant();
        resting.values().removeIf(until -> until.isBefore(now));
        for (int i = 0; i < AT_ONCE && !node.closed(); i++) {
            Optional<Board.Relief> relief = board.relieve(id, job -> !resting.containsKey(job), now);
            if (relief.isEmpty()) {
                return;
            }
            if (!moved(relief.get())) {
                resting.put(relief.get().job(), now.plus(REST));
            }
        }
    }

    private boolean moved(Board.Relief relief) {
        Optional<Job> job = store.find(relief.job());
        boolean moved = job.filter(j -> j.state().equals(new State.Waiting(id)) && j.cancelRequested().isEmpty())
                .map(j -> withdrawn(j, relief.to())).orElse(false);
        if (!moved) {
            putRight(relief);
        }
        return moved;
    }

    private boolean withdrawn(Job job, int to) {
        try {
            JobRecord said = node.withdraw(job.id(), job.attempt());
            boolean given = said.ending().filter(ending -> ending.how() == How.WITHDRAWN).isPresent();
            if (given && progress.movedTo(job, to)) {
                nodes.courier(to).ifPresent(courier -> courier.take(job.id()));
                node.release(job.id(), job.attempt());
                return true;
            }
            progress.apply(id, node, said);
        } catch (NodeUnreachable | NodeRefused | Unreadable away) {
            // its follower says so, and what became of the job
        }
        return false;
    }

    /** The place that was taken on the other node goes back to where the row says that the job is. */
    private void putRight(Board.Relief relief) {
        board.leave(relief.job());
        store.find(relief.job()).filter(job -> !job.ended()).ifPresent(job ->
                job.state().node().ifPresent(on -> board.take(on, Work.of(job, progress.failedOn(job)))));
    }
}
