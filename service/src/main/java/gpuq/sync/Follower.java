package gpuq.sync;

import gpuq.db.DatabaseUnavailable;
import gpuq.db.NotLeading;
import gpuq.job.AttemptStore;
import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.Reason;
import gpuq.job.State;
import gpuq.node.JobRecord;
import gpuq.node.JobRecord.Phase;
import gpuq.node.Node;
import gpuq.node.NodeRecord;
import gpuq.node.NodeRefused;
import gpuq.node.NodeUnreachable;
import gpuq.node.Unreadable;
import gpuq.placement.Board;
import gpuq.placement.Capacity;
import gpuq.placement.Work;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Follows one node, on a virtual thread of its own: asks what it is and what it has, then listens to its bell and looks whenever it
 * rings. Bells can be lost, so it also lists everything once a minute, however busy the node is. A job that cannot be taken over is
 * logged and tried again at the next list; it holds up no other. The loop ends with its thread's interrupt, or when the node is closed.
 */
public final class Follower implements Runnable {
    private static final Logger LOG = System.getLogger(Follower.class.getName());
    private static final Duration BETWEEN_LISTS = Duration.ofMinutes(1);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(15);

    private final int id;
    private final Node node;
    private final Board board;
    private final JobStore store;
    private final AttemptStore attempts;
    private final NodeMemory memory;
    private final Progress progress;
    private final Checkup checkup;
    private final InstantSource clock;
    private final Map<UUID, Long> missedSince = new HashMap<>();
    private Duration pause = FIRST_PAUSE;
    private long listedAt;
    private boolean heard;
    private Optional<NodeMemory.Known> remembered = Optional.empty(); // as the memory has it: beats shall not cost a query

    public Follower(
            int id, Node node, Board board, JobStore store, AttemptStore attempts, NodeMemory memory, Progress progress, Checkup checkup,
            InstantSource clock) {
        this.id = id;
        this.node = node;
        this.board = board;
        this.store = store;
        this.attempts = attempts;
        this.memory = memory;
        this.progress = progress;
        this.checkup = checkup;
        this.clock = clock;
    }

    /** Follows until the thread is interrupted or the node is closed. */
    @Override
    public void run() {
        while (!over()) {
            try {
                Node.JournalPosition from = look();
                heard = false;
                node.watch(from, this::hear);
            } catch (NodeUnreachable | NodeRefused away) {
                stepBack(away.getMessage());
            } catch (DatabaseUnavailable | NotLeading away) {
                LOG.log(Level.WARNING, "node {0}: what it says is not taken over now: {1}", id, away.getMessage());
                rest();
            } catch (RuntimeException | Error failure) {
                LOG.log(Level.ERROR, "node " + id + ": following it failed and is taken up again", failure);
                stepBack("what it says could not be taken over; the server's log says more");
            }
        }
    }

    /** H2 swallows an interrupt that comes while it writes, so being interrupted is not all that counts. */
    private boolean over() {
        return Thread.currentThread().isInterrupted() || node.closed();
    }

    private void hear(Node.Bell bell) {
        if (!heard) { // only now the connection is as good as it was made
            heard = true;
            pause = FIRST_PAUSE;
            checkup.soon();
        }
        switch (bell) {
            case Node.Bell.Event event -> hear(event);
            case Node.Bell.Gap gap -> look();
            case Node.Bell.Beat beat -> ask();
        }
        endWhatWasGivenUp();
        if (System.nanoTime() - listedAt > BETWEEN_LISTS.toNanos()) {
            look();
        }
    }

    private void hear(Node.Bell.Event event) {
        if (event.phase() == Phase.WAITING && board.holds(event.job())) {
            return; // it is ours, and the answer to its submit said so
        }
        takeOver(event.job(), () -> status(event.job(), event.attempt()).ifPresent(said -> {
            progress.apply(id, node, said);
            said.ending().filter(ending -> ending.how() == JobRecord.How.SYSTEM).ifPresent(ending -> checkup.soon());
        }));
    }

    /** Everything anew. @return the place in the journal from which nothing is missed */
    private Node.JournalPosition look() {
        ask();
        Node.Listing listing = node.list();
        listing.jobs().forEach(said -> takeOver(said.job(), () -> progress.apply(id, node, said)));
        Set<UUID> listed = listing.jobs().stream().map(JobRecord::job).collect(Collectors.toSet());
        List<Job> here = unfinished().toList();
        missedSince.keySet().retainAll(here.stream().map(Job::id).collect(Collectors.toSet()));
        here.forEach(job -> takeOver(job.id(), () -> compare(job, listed)));
        board.correct(id, unfinished().map(job -> Work.of(job, progress.failedOn(job))).toList(), clock.instant().minus(BETWEEN_LISTS));
        endWhatWasGivenUp();
        listedAt = System.nanoTime();
        return listing.position();
    }

    private void ask() {
        NodeRecord said = node.info();
        NodeMemory.Known known = new NodeMemory.Known(said.spool(), new Capacity(said.slots(), said.competitions(), said.template(), said.version()));
        Optional<NodeMemory.Known> before = remembered.or(() -> memory.find(id));
        if (before.isPresent() && !before.get().spool().equals(known.spool()) && hasSent()) {
            throw new NodeUnreachable("it has another spool than the one that our jobs were handed to; bring that one back, or give this node a new id");
        }
        if (!before.equals(Optional.of(known))) {
            memory.save(id, known);
        }
        remembered = Optional.of(known);
        board.answered(id, known.capacity(), said.drain(), clock.instant());
    }

    private boolean hasSent() {
        return unfinished().anyMatch(job -> !(job.state() instanceof State.Placed));
    }

    /** The jobs whose place is this node. */
    private Stream<Job> unfinished() {
        return store.unfinished().stream().filter(job -> job.state().node().equals(OptionalInt.of(id)));
    }

    /** A node that was given up and is back gets work only when nothing is left there of what it was given up with, and nothing can still arrive. */
    private void endWhatWasGivenUp() {
        if (!board.lost(id)) {
            return;
        }
        List<AttemptStore.Unsettled> left = attempts.unsettledOn(id);
        long living = left.stream().filter(old -> !ended(old)).count();
        if (living == 0) {
            memory.found(id);
            board.found(id, clock.instant());
            LOG.log(Level.INFO, "node {0}, which was given up, is back, and nothing is left there of {1} old attempts", id, left.size());
        } else {
            board.lost(id, "it is back, and ends what it was given up with first: %d jobs".formatted(living), clock.instant());
        }
    }

    /** Cancelled by name, so that what is still on its way finds a tombstone. */
    private boolean ended(AttemptStore.Unsettled old) {
        try {
            if (node.cancel(old.job(), old.attempt()).phase() != Phase.ENDED) {
                return false;
            }
        } catch (Unreadable spoilt) {
            LOG.log(Level.WARNING, "node {0}: whether attempt {1} of job {2} lives is not known: {3}", id, old.attempt(), old.job(), spoilt.getMessage());
            return false;
        }
        node.release(old.job(), old.attempt());
        attempts.settle(old);
        return true;
    }

    /** Holds a row against the list: a wish to cancel is told again, and a job that is not in the list is asked for by name. */
    private void compare(Job job, Set<UUID> listed) {
        boolean arrived = job.state() instanceof State.Waiting || job.state() instanceof State.Running;
        if (arrived && job.cancelRequested().isPresent()) {
            progress.apply(id, node, node.cancel(job.id(), job.attempt()));
        } else if (arrived && !listed.contains(job.id())) {
            status(job.id(), job.attempt()).ifPresentOrElse(said -> progress.apply(id, node, said), () -> missing(job));
        } else {
            missedSince.remove(job.id());
        }
    }

    /** Only a job that stays away is lost: a spool may be away for a moment, and be back before anybody notices. */
    private void missing(Job job) {
        long since = missedSince.computeIfAbsent(job.id(), id -> System.nanoTime());
        if (System.nanoTime() - since >= BETWEEN_LISTS.toNanos()) {
            missedSince.remove(job.id());
            JobRecord said = node.withdraw(job.id(), job.attempt()); // it stays away: the node keeps a tombstone, which is no cancel if we are killed now
            if (said.tombstone()) {
                progress.fail(job, Reason.NODE_LOST, "Node %d no longer has the job: somebody took it out of its spool.".formatted(id), true);
            } else {
                progress.apply(id, node, said);
            }
        }
    }

    /** @return nothing if the node does not have it */
    private Optional<JobRecord> status(UUID job, int attempt) {
        try {
            return Optional.of(node.status(job, attempt));
        } catch (NodeRefused refused) {
            if (refused.code() == NodeRefused.NOT_THERE) {
                return Optional.empty();
            }
            throw refused;
        }
    }

    private void takeOver(UUID job, Runnable work) {
        try {
            work.run();
        } catch (NodeUnreachable | DatabaseUnavailable | NotLeading away) {
            throw away;
        } catch (Unreadable spoilt) {
            LOG.log(Level.WARNING, "node {0}: {1}; it is asked again within a minute", id, spoilt.getMessage());
        } catch (RuntimeException | Error failure) {
            LOG.log(Level.ERROR, "node " + id + ": what it says of job " + job + " could not be taken over; that is tried again within a minute", failure);
        }
    }

    private void stepBack(String why) {
        if (over()) {
            return; // the server stops, or the node is not its any more
        }
        board.unreachable(id, why, clock.instant());
        node.hangUp();
        LOG.log(Level.WARNING, "node {0} is unreachable: {1}; trying again in {2} ms", id, why, pause.toMillis());
        rest();
    }

    private void rest() {
        try {
            Thread.sleep(pause.plusMillis(ThreadLocalRandom.current().nextLong(1 + pause.toMillis() / 2)));
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
        Duration doubled = pause.multipliedBy(2);
        pause = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    }
}
