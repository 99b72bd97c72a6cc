package gpuq.placement;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** One node on the {@link Board}: what it last said of itself, whether it answers, and its unended jobs. Guarded by the board. */
final class Seat {
    private static final Link UNHEARD = new Link.Silent("it has not answered yet");

    final int id;
    final String ip;
    private final Map<UUID, Work> waiting = new HashMap<>();
    private final Map<UUID, Work> running = new HashMap<>();
    private Duration waitingWork = Duration.ZERO;
    private int asked; // slots, by all of them together
    Optional<Capacity> capacity = Optional.empty();

    /** Of a node that was given up: the reason. */
    Optional<String> lost = Optional.empty();

    Link link = UNHEARD;

    /** What its doctor found last, and its drain: reasons. */
    Optional<String> illness = Optional.empty();

    Optional<String> drain = Optional.empty();

    private Condition condition = new Condition.Unreachable("it has not answered yet");
    private String word = condition.word(0); // as it was when it was last settled
    private Instant since;

    sealed interface Link {
        record Answers() implements Link {}

        record Silent(String reason) implements Link {}
    }

    Seat(int id, String ip, Instant now) {
        this.id = id;
        this.ip = ip;
        this.since = now;
    }

    /** Draws the conclusion from what has just become known. @param unfit why the server has no use for it as it is configured */
    void settle(Optional<String> unfit, Instant now) {
        condition = lost.<Condition>map(Condition.Lost::new)
                .or(() -> link instanceof Link.Silent(String reason) ? Optional.of(new Condition.Unreachable(reason)) : Optional.empty())
                .or(() -> illness.or(() -> unfit).map(Condition.Unhealthy::new))
                .or(() -> drain.map(Condition.Draining::new))
                .orElseGet(Condition.Active::new);
        if (!condition.word(running()).equals(word)) {
            word = condition.word(running());
            since = now;
        }
    }

    /** Takes another server's conclusion over. */
    void recall(Standing standing) {
        condition = Condition.of(standing.status(), standing.reason().orElse(""));
        link = condition instanceof Condition.Unreachable(String reason) ? new Link.Silent(reason) : new Link.Answers();
        word = standing.status();
        since = standing.since();
    }

    /** Whether somebody has at least tried to reach it since the server was started. */
    boolean heard() {
        return link != UNHEARD;
    }

    boolean reachable() {
        return link instanceof Link.Answers;
    }

    /** @param gpus slots that a job takes */
    boolean canTake(int gpus) {
        return active() && slots() >= gpus;
    }

    /** @param competition nothing for a plain script, which needs no data */
    boolean has(Optional<String> competition) {
        return capacity.isPresent() && competition.map(capacity.get().competitions()::contains).orElse(true);
    }

    /** @param wanted the only node that a job may have; nothing for any */
    boolean isWanted(OptionalInt wanted) {
        return wanted.isEmpty() || wanted.getAsInt() == id;
    }

    int slots() {
        return capacity.map(Capacity::slots).orElse(1);
    }

    boolean active() {
        return condition instanceof Condition.Active;
    }

    void put(Work work) {
        remove(work.job());
        asked += work.gpus();
        if (work.waiting()) {
            waiting.put(work.job(), work);
            waitingWork = waitingWork.plus(work.slotTime());
        } else {
            running.put(work.job(), work);
        }
    }

    void remove(UUID job) {
        Work ran = running.remove(job);
        Work waited = waiting.remove(job);
        if (waited != null) {
            waitingWork = waitingWork.minus(waited.slotTime());
        }
        asked -= ran != null ? ran.gpus() : waited != null ? waited.gpus() : 0;
    }

    Optional<Work> work(UUID job) {
        return Optional.ofNullable(waiting.getOrDefault(job, running.get(job)));
    }

    int queueLength() {
        return waiting.size() + running.size();
    }

    double queuePerSlot() {
        return (double) queueLength() / slots();
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

    /** The waiting job that starts next among those that {@code may}. */
    Optional<Work> next(Predicate<Work> may) {
        return waiting.values().stream().filter(may).min(Work.TURN);
    }

    /** Whether a job of one slot would start here at once. */
    boolean idle() {
        return active() && asked < slots();
    }

    /** Whether a job that waits elsewhere would start here at once. */
    boolean couldStart(Work work) {
        return idle() && !work.operators() && !work.failedOn().contains(id) && isWanted(work.node()) && has(work.competition())
                && slots() - asked >= work.gpus();
    }

    /** Whether a job that waits here never starts: the node had more slots when it came. */
    boolean isTooWide(Work work) {
        return work.gpus() > slots();
    }

    /** Whether jobs wait here longer than it takes to start them. */
    boolean crowded() {
        return asked > slots();
    }

    String status() {
        return condition.word(running());
    }

    Optional<String> reason() {
        return condition.why();
    }

    NodeView view(Instant now) {
        return new NodeView(
                id, ip, queueLength(), WaitEstimate.of(slots(), works().toList(), 1, now), status(), reason(), since, slots(), running(),
                capacity.map(Capacity::version), capacity.map(Capacity::competitions).orElse(Set.of()));
    }
}
