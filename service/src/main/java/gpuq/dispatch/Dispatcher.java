package gpuq.dispatch;

import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.State;
import gpuq.job.Submission;
import gpuq.placement.Board;
import gpuq.placement.Choice;
import gpuq.sync.Endings;
import gpuq.sync.NodeMemory;
import gpuq.sync.Progress;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Accepts, places and cancels jobs, and looks after them, for as long as this server leads. Any thread may call. */
public final class Dispatcher implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Dispatcher.class.getName());
    private static final Duration BETWEEN_PLACINGS = Duration.ofSeconds(1);
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(20);
    private static final Duration ASK_AGAIN_SOON = Duration.ofSeconds(5);
    private static final Duration ASK_AGAIN_LATER = Duration.ofSeconds(60);

    private final JobStore store;
    private final Board board;
    private final Progress progress;
    private final Endings endings;
    private final Nodes nodes;
    private final InstantSource clock;
    private final Canceller canceller;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean closed;

    public Dispatcher(
            JobStore store, Board board, Progress progress, Endings endings, Nodes nodes, InstantSource clock) {
        this.store = store;
        this.board = board;
        this.progress = progress;
        this.endings = endings;
        this.nodes = nodes;
        this.clock = clock;
        canceller = new Canceller(store, nodes, progress, endings, clock);
    }

    /** Begins to place what has no node, and to look after what was left behind. */
    public void start() {
        Placer placer = new Placer(store, board, nodes, progress, clock);
        threads.add(Thread.ofVirtual().name("placer").start(new Round("placing jobs", BETWEEN_PLACINGS, placer, () -> closed)));
        threads.add(Thread.ofVirtual().name("looking-after").start(new Round("looking after jobs", BETWEEN_LOOKS, this::lookAfter, () -> closed)));
    }

    /** Writes down how the nodes are, where other servers want to know it. */
    public void tellTheOthers(NodeMemory memory) {
        Bulletin bulletin = new Bulletin(board, memory, clock);
        threads.add(Thread.ofVirtual().name("bulletin").start(new Round("telling the other servers", BETWEEN_PLACINGS, bulletin, () -> closed)));
    }

    /** Places no more. Jobs go on. */
    @Override
    public void close() {
        closed = true;
        threads.forEach(Thread::interrupt);
    }

    /**
     * Accepts a job. When this returns, the job is committed.
     *
     * @return the job, or the earlier one under the same idempotency key and body
     * @throws Refused if nothing was accepted
     */
    public Job submit(Submission.Form form) {
        Optional<Job> earlier = form.key().flatMap(key -> earlier(form.submission().userId(), key));
        if (earlier.isPresent()) {
            return earlier.get();
        }
        UUID id = UUID.randomUUID();
        Instant now = clock.instant();
        int node = place(id, form.submission(), now);
        Job job = new Job(id, form.submission(), now, 1, 1, new State.Placed(node), Optional.empty());
        try {
            store.insert(job, form.code(), form.key());
        } catch (JobStore.KeyTaken inTheMeantime) {
            board.leave(id);
            return earlier(form.submission().userId(), form.key().orElseThrow()).orElseThrow(() -> inTheMeantime);
        } catch (RuntimeException inDoubt) {
            Thread.startVirtualThread(() -> resolve(job));
            throw inDoubt;
        }
        handOn(job);
        return job;
    }

    /** The job is committed, so its client is told of it: if this fails, {@link #lookAfter} does it again. */
    private void handOn(Job job) {
        try {
            nodes.handOn(job);
        } catch (RuntimeException away) {
            LOG.log(Level.WARNING, "job {0} is handed on later: {1}", job.id(), away.getMessage());
        }
    }

    /** The answer to a commit was lost: the job is handed on if its row is there, and its place given back if it is not. */
    private void resolve(Job job) {
        try {
            while (!closed) {
                try {
                    if (store.find(job.id()).isPresent()) {
                        nodes.handOn(job);
                    } else {
                        board.leave(job.id());
                    }
                    return;
                } catch (RuntimeException stillAway) {
                    LOG.log(Level.WARNING, "job {0}: whether it was committed is not known yet: {1}", job.id(), stillAway.getMessage());
                    Thread.sleep(ASK_AGAIN_SOON);
                }
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    /** What a lost answer to a commit left behind: an end that nobody was told of, a job that nobody took, one that is on a node that was given up. */
    private void lookAfter() {
        List<Job> unended = store.unfinished();
        endings.look(unended, store::present);
        Instant settled = clock.instant().minus(BETWEEN_LOOKS);
        unended.stream().filter(job -> unsent(job) && job.createdAt().isBefore(settled)).forEach(nodes::handOn);
        nodes.giveUpWhatIsLost();
    }

    private static boolean unsent(Job job) {
        return job.state() instanceof State.Placed || job.state() instanceof State.Sent;
    }

    private Optional<Job> earlier(String userId, Submission.Key key) {
        return store.findByKey(userId, key.value()).map(keyed -> {
            if (!keyed.bodySha256().equals(key.bodySha256())) {
                throw new Refused.KeyReused();
            }
            return keyed.job();
        });
    }

    private int place(UUID id, Submission submission, Instant now) {
        return switch (board.reserve(id, submission, Set.of(), now, now)) {
            case Choice.On(int node) -> node;
            case Choice.NoSuchNode n -> throw new Refused.UnknownNode(submission.node().orElseThrow());
            case Choice.NobodyHasTheData n -> throw new Refused.UnknownCompetition(submission.competitionId().orElseThrow(), submission.node());
            case Choice.TooLarge(int most) -> throw new Refused.TooManyGpus(submission.gpus(), most);
            case Choice.NobodyActive(String why, boolean soon) -> throw new Refused.NoActiveNode(why, soon ? ASK_AGAIN_SOON : ASK_AGAIN_LATER);
        };
    }

    /**
     * Asks for the end of a job and waits for the node's confirmation, at most {@code patience}. The wish is kept until it is done.
     *
     * @return the job as it is then: cancelled, ended otherwise in the meantime, or still unended
     */
    public Job cancel(UUID id, Duration patience) {
        return canceller.cancel(id, patience);
    }
}
