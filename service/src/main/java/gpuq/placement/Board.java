package gpuq.placement;

import gpuq.job.Submission;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Every node with its unended jobs, in memory. Choosing a node and taking the place there is one step under one lock, so a thousand
 * submits at once spread exactly. Any thread may call.
 */
public final class Board {
    private final TreeMap<Integer, Seat> seats = new TreeMap<>();
    private final Set<String> templates;

    /** @param templates the launch templates that the server can render; a node that wants another takes no work */
    public Board(Set<String> templates) {
        this.templates = templates;
    }

    /** Adds a node that has not spoken yet. */
    public synchronized void add(int node, String ip) {
        seats.put(node, new Seat(node, ip));
    }

    /** Tells what a node said before the server was restarted, so that its competitions are known while it is away. */
    public synchronized void remember(int node, Capacity capacity) {
        seat(node).ifPresent(s -> s.capacity = Optional.of(capacity));
    }

    /** A node spoke. @param drain why it takes no new work, if it does not */
    public synchronized void answered(int node, Capacity capacity, Optional<String> drain) {
        seat(node).ifPresent(s -> {
            s.capacity = Optional.of(capacity);
            s.condition = drain.or(() -> unfit(capacity)).<Seat.Condition>map(Seat.Condition.Draining::new).orElseGet(Seat.Condition.Active::new);
            notifyAll();
        });
    }

    /** Waits until every node has answered or could not be reached, at most {@code patience}: a server that has just started then knows its nodes. */
    public synchronized void awaitFirstWords(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (seats.values().stream().anyMatch(s -> s.condition instanceof Seat.Condition.Unheard)) {
            long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
            if (left <= 0) {
                return;
            }
            wait(left);
        }
    }

    private Optional<String> unfit(Capacity capacity) {
        if (capacity.template().isEmpty()) {
            return Optional.of("its configuration names no launch template");
        }
        return capacity.template().filter(template -> !templates.contains(template))
                .map(template -> "its launch template '%s' is none of the server's: %s".formatted(template, String.join(", ", templates)));
    }

    public synchronized void unreachable(int node, String reason) {
        seat(node).ifPresent(s -> {
            s.condition = new Seat.Condition.Unreachable(reason);
            notifyAll();
        });
    }

    public synchronized void draining(int node, String reason) {
        seat(node).ifPresent(s -> s.condition = new Seat.Condition.Draining(reason));
    }

    /** Chooses a node and takes a place there; {@link #leave} gives it back. */
    public synchronized Choice reserve(UUID job, Submission submission, Instant submittedAt, Instant now) {
        Choice choice = Placement.choose(seats.values(), submission, now);
        if (choice instanceof Choice.On(int node)) {
            take(node, Work.of(job, submission, submittedAt, Optional.empty()));
        }
        return choice;
    }

    /** Puts a job where it is known to be; the same job is never counted twice. */
    public synchronized void take(int node, Work work) {
        leave(work.job());
        seat(node).ifPresent(s -> s.put(work));
    }

    public synchronized void started(UUID job, Instant at) {
        seats.values().forEach(s -> s.work(job).ifPresent(work -> s.put(work.started(at))));
    }

    /** Whether a job is counted on some node. */
    public synchronized boolean holds(UUID job) {
        return seats.values().stream().anyMatch(s -> s.work(job).isPresent());
    }

    public synchronized void leave(UUID job) {
        seats.values().forEach(s -> s.remove(job));
    }

    /**
     * Holds a node's works against what the database and the node list as unended, and mends what a lost race left behind: at most a wrong
     * count, never a wrong job.
     *
     * @param settled a reservation younger than this may not have its row yet and is left alone
     */
    public synchronized void correct(int node, List<Work> unended, Instant settled) {
        seat(node).ifPresent(s -> {
            Set<UUID> ids = unended.stream().map(Work::job).collect(Collectors.toSet());
            s.works().filter(w -> !ids.contains(w.job()) && (w.operators() || w.submittedAt().isBefore(settled))).toList()
                    .forEach(w -> s.remove(w.job()));
            unended.stream().filter(w -> s.work(w.job()).map(held -> held.waiting() && !w.waiting()).orElse(true)).forEach(s::put);
        });
    }

    public synchronized boolean active(int node) {
        return seat(node).map(Seat::active).orElse(false);
    }

    /** The nodes that take no work now. */
    public synchronized List<Integer> inactive() {
        return seats.values().stream().filter(s -> !s.active()).map(s -> s.id).toList();
    }

    /** Whether the node answers, be it that it takes no new work. */
    public synchronized boolean reachable(int node) {
        return seat(node).map(Seat::reachable).orElse(false);
    }

    public synchronized Optional<String> template(int node) {
        return seat(node).flatMap(s -> s.capacity).flatMap(Capacity::template);
    }

    /** Why a node is not active. */
    public synchronized Optional<String> reason(int node) {
        return seat(node).flatMap(Seat::reason);
    }

    public synchronized OptionalInt position(UUID job) {
        return seats.values().stream().map(s -> s.position(job)).filter(OptionalInt::isPresent).findFirst().orElse(OptionalInt.empty());
    }

    public synchronized List<NodeView> views(Instant now) {
        return seats.values().stream().map(s -> s.view(now)).toList();
    }

    private Optional<Seat> seat(int node) {
        return Optional.ofNullable(seats.get(node));
    }
}
