package gpuq.dispatch;

import gpuq.job.Attempt;
import gpuq.job.AttemptStore;
import gpuq.job.Job;
import gpuq.job.JobFilter;
import gpuq.job.JobStore;
import gpuq.job.State;
import gpuq.job.Submission;
import gpuq.placement.Board;
import gpuq.placement.Choice;
import gpuq.results.Results;
import gpuq.results.ResultsArchive;
import gpuq.sync.Endings;
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
import java.util.concurrent.CompletableFuture;

/** The counter of the queue: everything that {@code api} may ask of it. Any thread may call. */
public final class Jobs implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Jobs.class.getName());
    private static final Duration BETWEEN_PLACINGS = Duration.ofSeconds(1);
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(20);
    private static final Duration ASK_AGAIN_SOON = Duration.ofSeconds(5);
    private static final Duration ASK_AGAIN_LATER = Duration.ofSeconds(60);

    private final JobStore store;
    private final AttemptStore attempts;
    private final Board board;
    private final ResultsArchive archive;
    private final Progress progress;
    private final Endings endings;
    private final Nodes nodes;
    private final InstantSource clock;
    private final Canceller canceller;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean closed;

    public Jobs(
            JobStore store, AttemptStore attempts, Board board, ResultsArchive archive, Progress progress, Endings endings, Nodes nodes,
            InstantSource clock) {
        this.store = store;
        this.attempts = attempts;
        this.board = board;
        this.archive = archive;
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

    /** Answers everybody who waits with their job as it is, and hands over no more. Jobs go on. */
    @Override
    public void close() {
        endings.stop(store::present);
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
        nodes.handOn(job);
        return job;
    }

    /** The answer to a commit was lost: the job is handed on if its row is there, and its place given back if it is not. */
    private void resolve(Job job) {
        try {
            while (true) {
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
            case Choice.NobodyHasTheData n -> throw new Refused.UnknownCompetition(submission.competitionId().orElseThrow());
            case Choice.TooLarge(int most) -> throw new Refused.TooManyGpus(submission.gpus(), most);
            case Choice.NobodyActive(String why, boolean soon) -> throw new Refused.NoActiveNode(why, soon ? ASK_AGAIN_SOON : ASK_AGAIN_LATER);
        };
    }

    public Optional<Job> find(UUID id) {
        return store.find(id);
    }

    public List<Job> list(JobFilter filter) {
        return store.list(filter);
    }

    /**
     * Completes with the job when it has ended, or, as it is then, when the server is told to stop. Whoever stops waiting
     * earlier cancels the future, which frees everything but the job.
     */
    public CompletableFuture<Job> ending(UUID id) {
        return endings.of(id, store::present);
    }

    /** What the job left; {@link Results#NONE} before its end and after a cancel. */
    public Results results(Job job) {
        return job.ended() ? archive.read(job) : Results.NONE;
    }

    /**
     * Asks for the end of a job and waits for the node's confirmation, at most {@code patience}. The wish is kept until it is done.
     *
     * @return the job as it is then: cancelled, ended otherwise in the meantime, or still unended
     */
    public Job cancel(UUID id, Duration patience) {
        return canceller.cancel(id, patience);
    }

    /** Why a pending job waits. */
    public Waiting whyWaiting(Job job) {
        return Waiting.of(job, board);
    }

    /** The attempts of a job before the present one, the first one first. */
    public List<Attempt> earlier(Job job) {
        return job.attempt() == 1 ? List.of() : attempts.of(job.id()).stream().filter(a -> a.number() < job.attempt()).toList();
    }
}
