package gpuq.placement;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/** One node on the {@link Board}: what it last said of itself, whether it answers, and its unended jobs. Guarded by the board. */
final class Seat {
    final int id;
    final String ip;
    private final Map<UUID, Work> waiting = new HashMap<>();
    private final Map<UUID, Work> running = new HashMap<>();
    private Duration waitingWork = Duration.ZERO;
    Optional<Capacity> capacity = Optional.empty();
    Condition condition = new Condition.Unheard();

    sealed interface Condition {
        /** Nobody has tried to reach it since the server was started, or the first try is under way. */
        record Unheard() implements Condition {}

        record Active() implements Condition {}

        record Draining(String reason) implements Condition {}

        record Unreachable(String reason) implements Condition {}
    }

    Seat(int id, String ip) {
        this.id = id;
        this.ip = ip;
    }

    boolean reachable() {
        return switch (condition) {
            case Condition.Active a -> true;
            case Condition.Draining d -> true;
            case Condition.Unheard u -> false;
            case Condition.Unreachable u -> false;
        };
    }

    /** @param gpus slots that a job takes */
    boolean canTake(int gpus) {
        return active() && slots() >= gpus;
    }

    boolean has(String competition) {
        return capacity.map(c -> c.competitions().contains(competition)).orElse(false);
    }

    int slots() {
        return capacity.map(Capacity::slots).orElse(1);
    }

    boolean active() {
        return condition instanceof Condition.Active;
    }

    void put(Work work) {
        remove(work.job());
        if (work.waiting()) {
            waiting.put(work.job(), work);
            waitingWork = waitingWork.plus(work.slotTime());
        } else {
            running.put(work.job(), work);
        }
    }

    void remove(UUID job) {
        running.remove(job);
        Work waited = waiting.remove(job);
        if (waited != null) {
            waitingWork = waitingWork.minus(waited.slotTime());
        }
    }

    Optional<Work> work(UUID job) {
        return Optional.ofNullable(waiting.getOrDefault(job, running.get(job)));
    }

    int queueLength() {
        return waiting.size() + running.size();
    }

    int running() {
        return running.size();
    }

    Stream<Work> works() {
        return Stream.concat(running.values().stream(), waiting.values().stream());
    }

    /**
     * Unended work per slot. With one slot this is the wait itself; with more it orders nodes well and, unlike
     * {@link WaitEstimate}, does not grow dearer with the queue, so a burst of submits stays cheap.
     */
    Duration workPerSlot(Instant now) {
        Duration left = running.values().stream()
                .map(w -> w.left(now).multipliedBy(w.gpus()))
                .reduce(Duration.ZERO, Duration::plus);
        return waitingWork.plus(left).dividedBy(slots());
    }

    /** 1 for the waiting job that starts next. */
    OptionalInt position(UUID job) {
        Work mine = waiting.get(job);
        if (mine == null) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(1 + (int) waiting.values().stream().filter(w -> Work.TURN.compare(w, mine) < 0).count());
    }

    String status() {
        return switch (condition) {
            case Condition.Active a -> "active";
            case Condition.Draining d -> running() > 0 ? "draining" : "drained";
            case Condition.Unheard u -> "unreachable";
            case Condition.Unreachable u -> "unreachable";
        };
    }

    Optional<String> reason() {
        return switch (condition) {
            case Condition.Active a -> Optional.empty();
            case Condition.Unheard u -> Optional.of("it has not answered yet");
            case Condition.Draining(String reason) -> Optional.of(reason);
            case Condition.Unreachable(String reason) -> Optional.of(reason);
        };
    }

    NodeView view(Instant now) {
        return new NodeView(
                id, ip, queueLength(), WaitEstimate.of(slots(), works().toList(), 1, now), status(), reason(), slots(), running(),
                capacity.map(Capacity::version), capacity.map(Capacity::competitions).orElse(Set.of()));
    }
}
