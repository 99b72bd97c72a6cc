package gpuq.sync;

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
import gpuq.placement.Board;
import gpuq.placement.Capacity;
import gpuq.placement.Work;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Follows one node, on a virtual thread of its own: asks what it is and what it has, then listens to its bell and looks whenever it
 * rings. Bells can be lost, so it also lists everything once a minute. Its loop never ends before it is closed.
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
    private final NodeMemory memory;
    private final Progress progress;
    private final InstantSource clock;
    private Duration pause = FIRST_PAUSE;
    private Instant listedAt = Instant.MIN;
    private @Nullable Capacity remembered;

    public Follower(int id, Node node, Board board, JobStore store, NodeMemory memory, Progress progress, InstantSource clock) {
        this.id = id;
        this.node = node;
        this.board = board;
        this.store = store;
        this.memory = memory;
        this.progress = progress;
        this.clock = clock;
    }

    /** Follows until the thread is interrupted. */
    @Override
    public void run() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                Node.JournalPosition from = look();
                pause = FIRST_PAUSE;
                node.watch(from, this::hear);
            } catch (NodeUnreachable | NodeRefused away) {
                stepBack(away.getMessage());
            } catch (RuntimeException failure) {
                LOG.log(Level.ERROR, "node " + id + ": following it failed and is taken up again", failure);
                stepBack("the server could not take over what it says: " + failure.getMessage());
            }
        }
    }

    /** Everything anew. @return the place in the journal from which nothing is missed */
    private Node.JournalPosition look() {
        ask();
        Node.Listing listing = node.list();
        listing.jobs().forEach(job -> progress.apply(id, node, job));
        List<Job> here = store.unfinished().stream().filter(job -> job.state().node().equals(OptionalInt.of(id))).toList();
        compare(here, listing.jobs().stream().map(JobRecord::job).collect(Collectors.toSet()));
        count(here, listing.jobs());
        listedAt = clock.instant();
        return listing.position();
    }

    private void count(List<Job> here, List<JobRecord> listed) {
        Stream<Work> operators = listed.stream().filter(said -> !said.origin().equals("server") && said.phase() != Phase.ENDED).map(Progress::work);
        board.correct(id, Stream.concat(here.stream().map(Work::of), operators).toList(), clock.instant().minus(BETWEEN_LISTS));
    }

    private void ask() {
        NodeRecord said = node.info();
        Capacity capacity = new Capacity(said.slots(), said.competitions(), said.template(), said.version());
        if (!capacity.equals(remembered)) {
            memory.save(id, said.spool(), capacity);
            remembered = capacity;
        }
        board.answered(id, capacity, said.drain());
    }

    private void hear(Node.Bell bell) {
        switch (bell) {
            case Node.Bell.Event event -> look(event);
            case Node.Bell.Gap gap -> look();
            case Node.Bell.Beat beat -> {
                ask();
                if (clock.instant().isAfter(listedAt.plus(BETWEEN_LISTS))) {
                    look();
                }
            }
        }
    }

    private void look(Node.Bell.Event event) {
        try {
            progress.apply(id, node, node.status(event.job(), event.attempt()));
        } catch (NodeRefused gone) {
            LOG.log(Level.DEBUG, "node {0}: job {1} is gone by the time we look: {2}", id, event.job(), gone.getMessage());
        }
    }

    /** Holds the database against the list: wishes to cancel are told again, and a job that is not in the list is asked for by name. */
    private void compare(List<Job> here, Set<UUID> listed) {
        for (Job job : here) {
            boolean arrived = job.state() instanceof State.Waiting || job.state() instanceof State.Running;
            if (arrived && job.cancelRequested().isPresent()) {
                progress.apply(id, node, node.cancel(job.id(), job.attempt()));
            } else if (arrived && !listed.contains(job.id())) {
                askFor(job);
            }
        }
    }

    private void askFor(Job job) {
        try {
            progress.apply(id, node, node.status(job.id(), job.attempt()));
        } catch (NodeRefused refused) {
            if (refused.code() != NodeRefused.NOT_THERE) {
                throw refused;
            }
            progress.fail(job, Reason.NODE_LOST, "Node %d no longer knows the job: its spool was lost or replaced.".formatted(id));
        }
    }

    private void stepBack(String why) {
        board.unreachable(id, why);
        LOG.log(Level.WARNING, "node {0} is unreachable: {1}; trying again in {2} ms", id, why, pause.toMillis());
        try {
            Thread.sleep(pause.plusMillis(ThreadLocalRandom.current().nextLong(1 + pause.toMillis() / 2)));
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
        Duration doubled = pause.multipliedBy(2);
        pause = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    }
}
