package gpuq.dispatch;

import gpuq.audit.Audit;
import gpuq.job.Attempt;
import gpuq.job.AttemptStore;
import gpuq.job.Job;
import gpuq.job.JobFilter;
import gpuq.job.JobStore;
import gpuq.job.Submission;
import gpuq.placement.Board;
import gpuq.placement.NodeView;
import gpuq.results.Results;
import gpuq.results.ResultsArchive;
import gpuq.sync.Endings;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * The counter of the queue: everything that {@code api} may ask of it. What reads is answered from the database by every server; what changes
 * something only by the one that leads. Any thread may call.
 */
public final class Queue implements AutoCloseable {
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);

    private final JobStore store;
    private final AttemptStore attempts;
    private final ResultsArchive archive;
    private final Endings endings;
    private final Standby standby;
    private final Audit audit;
    private final Supplier<Optional<String>> leader;
    private final BooleanSupplier good;
    private final InstantSource clock;
    private volatile Optional<Lead> lead = Optional.empty();
    private volatile Optional<String> notYet = Optional.empty();
    private volatile boolean closed;
    private final Thread watch;

    private record Lead(Dispatcher dispatcher, Nodes nodes, Board board) {}

    /**
     * @param leader where the server that leads is asked, as far as it is known
     * @param good whether the lease is, when this one leads
     */
    public Queue(
            JobStore store, AttemptStore attempts, ResultsArchive archive, Endings endings, Standby standby, Audit audit,
            Supplier<Optional<String>> leader, BooleanSupplier good, InstantSource clock) {
        this.store = store;
        this.attempts = attempts;
        this.archive = archive;
        this.endings = endings;
        this.standby = standby;
        this.audit = audit;
        this.leader = leader;
        this.good = good;
        this.clock = clock;
        watch = Thread.ofVirtual().name("ends-elsewhere").start(
                new Round("looking for the ends of jobs", BETWEEN_LOOKS, this::lookForEnds, () -> closed));
    }

    /** This server leads from now on, with these. */
    public void lead(Dispatcher dispatcher, Nodes nodes, Board board) {
        lead = Optional.of(new Lead(dispatcher, nodes, board));
    }

    /** This server is to lead, but not yet. @param why for clients: one sentence without its full stop */
    public void notYet(String why) {
        notYet = Optional.of(why);
    }

    /** This server leads no more. Who waits for a job goes on waiting. */
    public void follow() {
        lead = Optional.empty();
        notYet = Optional.empty();
    }

    private Optional<Lead> present() {
        return lead.filter(l -> good.getAsBoolean());
    }

    private Lead leading() {
        return present().orElseThrow(() -> notYet.map(Refused.NotLeading::new).orElseGet(() -> Refused.NotLeading.but(leader.get())));
    }

    private Board board() {
        return present().map(Lead::board).orElseGet(standby::board);
    }

    /** Of jobs that another server leads through their lives, nobody here is told. */
    private void lookForEnds() {
        if (lead.isEmpty() && endings.anybody()) {
            endings.look(store.unfinished(), store::present);
        }
    }

    /** Answers everybody who waits with their job as it is. */
    @Override
    public void close() {
        closed = true;
        watch.interrupt();
        endings.stop(store::present);
    }

    /**
     * Accepts a job. When this returns, the job is committed.
     *
     * @return the job, or the earlier one under the same idempotency key and body
     * @throws Refused if nothing was accepted
     */
    public Job submit(Submission.Form form) {
        return leading().dispatcher().submit(form);
    }

    public Optional<Job> find(UUID id) {
        return store.find(id);
    }

    public List<Job> list(JobFilter filter) {
        return store.list(filter);
    }

    /**
     * Completes with the job when it has ended, or, as it is then, when the server is told to stop. Whoever stops waiting
     * earlier cancels the future, which frees everything but the job. It never fails.
     */
    public CompletableFuture<Job> ending(Job job) {
        return endings.of(job, store::present);
    }

    /** Bytes that {@link #results} brings at most. */
    public long sizeOfResults(Job job) {
        return archive.size(job);
    }

    /** What the job left; {@link Results#NONE} before its end and after a cancel. */
    public Results results(Job job) {
        return job.ended() ? archive.read(job) : Results.NONE;
    }

    /**
     * Asks for the end of a job and waits for the node's confirmation, at most {@code patience}. The wish is kept until it is done.
     *
     * @param by who asks
     * @return the job as it is then: cancelled, ended otherwise in the meantime, or still unended
     */
    public Job cancel(UUID id, String by, Duration patience) {
        Dispatcher dispatcher = leading().dispatcher();
        audit.add(by, "job cancel", id.toString(), "");
        return dispatcher.cancel(id, patience);
    }

    /** Why a pending job waits. */
    public Waiting whyWaiting(Job job) {
        return Waiting.of(job, board());
    }

    /** The attempts of a job before the present one, the first one first. */
    public List<Attempt> earlier(Job job) {
        return job.attempt() == 1 ? List.of() : attempts.of(job.id()).stream().filter(a -> a.number() < job.attempt()).toList();
    }

    public List<NodeView> nodes() {
        return board().views(clock.instant());
    }

    public Optional<NodeView> node(int id) {
        return nodes().stream().filter(node -> node.id() == id).findFirst();
    }

    /**
     * Lets a node start no more jobs; what waits there moves to other nodes.
     *
     * @param by who asks
     * @param why one line, if they said so
     * @throws Refused.NodeSilent if it does not hear that
     */
    public void drain(int node, String by, Optional<String> why) {
        Nodes nodes = leading().nodes();
        audit.add(by, "node drain", Integer.toString(node), why.orElse(""));
        nodes.drain(node, why.orElse("by " + by));
    }

    /** @param by who asks @throws Refused.NodeSilent if it does not hear that */
    public void resume(int node, String by) {
        Nodes nodes = leading().nodes();
        audit.add(by, "node resume", Integer.toString(node), "");
        nodes.resume(node);
    }

    /**
     * Gives up a node that does not answer: its unended jobs are placed elsewhere, as new attempts. It may be one that is not configured any more.
     *
     * @param by who asks
     * @param why one line, if they said so
     * @return the node as it is then; nothing if there is no such node and nothing was left there
     * @throws Refused.NodeAnswers if it is there
     */
    public Optional<NodeView> declareLost(int node, String by, Optional<String> why) {
        Nodes nodes = leading().nodes();
        if (node(node).isEmpty() && !nodes.hasLeftJobs(node)) {
            return Optional.empty();
        }
        audit.add(by, "node lost", Integer.toString(node), why.orElse(""));
        String reason = why.map(said -> "given up: " + said).orElse("given up by " + by);
        nodes.declareLost(node, reason);
        return node(node).or(() -> Optional.of(NodeView.gone(node, reason, clock.instant())));
    }
}
