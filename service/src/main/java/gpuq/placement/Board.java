package gpuq.placement;

import gpuq.job.Submission;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Every node with its unended jobs, in memory. Choosing a node and taking the place there is one step under one lock, so a thousand
 * submits at once spread exactly. Any thread may call.
 */
public final class Board {
    private final TreeMap<Integer, Seat> seats = new TreeMap<>();
    private final Map<UUID, Seat> places = new HashMap<>(); // of each job that is counted
    private final Set<String> templates;

    /** @param templates the launch templates that the server can render; a node that wants another takes no work */
    public Board(Set<String> templates) {
        this.templates = templates;
    }

    /** Adds a node that has not spoken yet. */
    public synchronized void add(int node, String ip, Instant now) {
        seats.put(node, new Seat(node, ip, now));
    }

    /** Takes a node away, with the places that were taken on it. */
    public synchronized void remove(int node) {
        Optional.ofNullable(seats.remove(node)).ifPresent(gone -> places.values().removeIf(gone::equals));
        notifyAll();
    }

    /** Tells what a node said before the server was restarted, so that its competitions are known while it is away. */
    public synchronized void remember(int node, Capacity capacity) {
        seat(node).ifPresent(s -> s.capacity = Optional.of(capacity));
    }

    /** Tells what another server has found out about a node. */
    public synchronized void recall(int node, Standing standing) {
        seat(node).ifPresent(s -> s.recall(standing));
    }

    /** A node spoke. @param drain why it takes no new work, if it does not */
    public synchronized void answered(int node, Capacity capacity, Optional<String> drain, Instant now) {
        change(node, now, s -> {
            s.capacity = Optional.of(capacity);
            s.drain = drain;
            s.link = new Seat.Link.Answers();
        });
    }

    /** Waits until every node has answered or could not be reached, at most {@code patience}: a server that has just started then knows its nodes. */
    public synchronized void awaitFirstWords(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!seats.values().stream().allMatch(Seat::heard)) {
            long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
            if (left <= 0) {
                return;
            }
            wait(left);
        }
    }

    private Optional<String> unfit(Capacity capacity) {
        if (capacity.slots() == 0) {
            return Optional.of("it cannot say how many slots it has");
        }
        if (capacity.template().isEmpty()) {
            return Optional.of("its configuration names no launch template");
        }
        return capacity.template().filter(template -> !templates.contains(template))
                .map(template -> "its launch template '%s' is none of the server's: %s".formatted(template, String.join(", ", templates)));
    }

    public synchronized void unreachable(int node, String reason, Instant now) {
        change(node, now, s -> s.link = new Seat.Link.Silent(reason));
    }

    /** @param reason why it starts no more jobs, if it does not */
    public synchronized void drain(int node, Optional<String> reason, Instant now) {
        change(node, now, s -> s.drain = reason);
    }

    /** A node's doctor spoke. @param illness why jobs would fail there, if they would */
    public synchronized void examined(int node, Optional<String> illness, Instant now) {
        change(node, now, s -> s.illness = illness);
    }

    /** A node is given up; it takes no work, even when it answers, until it is {@linkplain #found}. */
    public synchronized void lost(int node, String reason, Instant since) {
        change(node, since, s -> s.lost = Optional.of(reason));
    }

    public synchronized boolean lost(int node) {
        return seat(node).map(s -> s.lost.isPresent()).orElse(false);
    }

    /** A node that was given up is back, and nothing runs there that was given up with it. */
    public synchronized void found(int node, Instant now) {
        change(node, now, s -> s.lost = Optional.empty());
    }

    private void change(int node, Instant now, Consumer<Seat> change) {
        seat(node).ifPresent(s -> {
            change.accept(s);
            s.settle(s.capacity.flatMap(this::unfit), now);
            notifyAll();
        });
    }

    /** Chooses a node and takes a place there; {@link #leave} gives it back. @param failedOn the nodes that have failed the job */
    public synchronized Choice reserve(UUID job, Submission submission, Set<Integer> failedOn, Instant submittedAt, Instant now) {
        Choice choice = Placement.choose(seats.values(), submission, failedOn, now);
        if (choice instanceof Choice.On(int node)) {
            take(node, Work.of(job, submission, submittedAt, failedOn, Optional.empty()).taken(now));
        }
        return choice;
    }

    /** A job that waits on one node, and another node where it could start. */
    public record Relief(UUID job, int to) {}

    /**
     * Finds the next job of a node that had better be elsewhere, and takes the place there; {@link #take} takes it back. From a crowded node
     * that is one that could start elsewhere at once; from a node that starts no more jobs, or has too few slots for it now, any that another
     * node can take.
     *
     * @param may which jobs may be taken away
     */
    public synchronized Optional<Relief> relieve(int from, Predicate<UUID> may, Instant now) {
        Optional<Relief> relief = seat(from).filter(Seat::reachable).flatMap(s -> s.active() ? toIdle(s, may).or(() -> toAny(s, s::isTooWide, may, now)) : toAny(s, work -> true, may, now));
        relief.ifPresent(r -> seat(from).flatMap(s -> s.work(r.job())).ifPresent(work -> take(r.to(), work.taken(now))));
        return relief;
    }

    private Optional<Relief> toIdle(Seat from, Predicate<UUID> may) {
        return Optional.of(from).filter(Seat::crowded).flatMap(crowded -> seats.values().stream()
                .filter(Seat::idle)
                .flatMap(to -> crowded.next(work -> may.test(work.job()) && to.couldStart(work)).map(work -> new Relief(work.job(), to.id)).stream())
                .findFirst());
    }

    private Optional<Relief> toAny(Seat from, Predicate<Work> which, Predicate<UUID> may, Instant now) {
        return from.next(work -> which.test(work) && !work.operators() && may.test(work.job()) && better(work, now).isPresent())
                .flatMap(work -> better(work, now).map(to -> new Relief(work.job(), to.id)));
    }

    private Optional<Seat> better(Work work, Instant now) {
        List<Seat> able = seats.values().stream().filter(s -> s.isWanted(work.node()) && s.has(work.competition())).toList();
        return Placement.best(able, work.gpus(), work.failedOn(), now);
    }

    /** Puts a job where it is known to be; the same job is never counted twice. */
    public synchronized void take(int node, Work work) {
        leave(work.job());
        seat(node).ifPresent(s -> put(s, work));
    }

    private void put(Seat seat, Work work) {
        seat.put(work);
        places.put(work.job(), seat);
    }

    public synchronized void started(UUID job, Instant at) {
        place(job).ifPresent(s -> s.work(job).ifPresent(work -> s.put(work.started(at))));
    }

    /** Whether a job is counted on some node. */
    public synchronized boolean holds(UUID job) {
        return places.containsKey(job);
    }

    public synchronized void leave(UUID job) {
        Optional.ofNullable(places.remove(job)).ifPresent(s -> s.remove(job));
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
            s.works().filter(w -> !ids.contains(w.job()) && w.takenAt().isBefore(settled)).toList()
                    .forEach(w -> leave(w.job()));
            unended.stream().filter(w -> s.work(w.job()).map(held -> held.waiting() && !w.waiting()).orElseGet(() -> !holds(w.job()))).toList()
                    .forEach(w -> put(s, w));
        });
    }

    public synchronized boolean active(int node) {
        return seat(node).map(Seat::active).orElse(false);
    }

    /** Whether some node would take it now. */
    public synchronized boolean canTake(Submission submission, Instant now) {
        return Placement.choose(seats.values(), submission, Set.of(), now) instanceof Choice.On;
    }

    /** The nodes that take no work now. */
    public synchronized List<Integer> inactive() {
        return seats.values().stream().filter(s -> !s.active()).map(s -> s.id).toList();
    }

    /** Whether it is known by now if the node answers. True of a node that is not on the board: nobody will hear of that one. */
    public synchronized boolean heard(int node) {
        return seat(node).map(Seat::heard).orElse(true);
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
        return place(job).map(s -> s.position(job)).orElse(OptionalInt.empty());
    }

    public synchronized List<NodeView> views(Instant now) {
        return seats.values().stream().map(s -> s.view(now)).toList();
    }

    private Optional<Seat> place(UUID job) {
        return Optional.ofNullable(places.get(job));
    }

    private Optional<Seat> seat(int node) {
        return Optional.ofNullable(seats.get(node));
    }
}
