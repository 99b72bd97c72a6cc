package gpuq.dispatch;

import gpuq.db.DatabaseUnavailable;
import gpuq.db.NotLeading;
import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.Reason;
import gpuq.job.State;
import gpuq.launch.LaunchTemplates;
import gpuq.node.JobRecord;
import gpuq.node.Node;
import gpuq.node.NodeRefused;
import gpuq.node.NodeUnreachable;
import gpuq.node.Unreadable;
import gpuq.placement.Board;
import gpuq.sync.Progress;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Hands jobs to one node, in the order of their submits, on a virtual thread of its own. {@code sent} is committed before the first byte
 * goes out; a command whose answer was lost is sent again, because the node knows (job, attempt). A job is let go only when its row says that
 * it is somewhere else. The loop ends with its thread's interrupt, or when the node is closed.
 */
final class Courier implements Runnable {
    private static final Logger LOG = System.getLogger(Courier.class.getName());
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

    private final int id;
    private final Node node;
    private final Board board;
    private final JobStore store;
    private final LaunchTemplates templates;
    private final Progress progress;
    private final InstantSource clock;
    private final LinkedBlockingQueue<UUID> jobs = new LinkedBlockingQueue<>();
    private final Set<UUID> taken = ConcurrentHashMap.newKeySet();
    private Duration pause = FIRST_PAUSE;

    Courier(int id, Node node, Board board, JobStore store, LaunchTemplates templates, Progress progress, InstantSource clock) {
        this.id = id;
        this.node = node;
        this.board = board;
        this.store = store;
        this.templates = templates;
        this.progress = progress;
        this.clock = clock;
    }

    /** Takes a job that is placed on, or was being sent to, this node. Telling it twice does no harm. */
    void take(UUID job) {
        if (taken.add(job)) {
            jobs.add(job);
        }
    }

    /** Tells the node to end a job; what it answers is taken over. @throws NodeUnreachable if it may not have heard it */
    void cancel(Job job) {
        progress.apply(id, node, node.cancel(job.id(), job.attempt()));
    }

    /** Hands over until the thread is interrupted or the node is closed. */
    @Override
    public void run() {
        try {
            while (!node.closed()) {
                UUID job = jobs.take();
                taken.remove(job);
                handOver(job);
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    /** A job that cannot be handed over now is taken up again behind the others, after a pause that grows. */
    private void handOver(UUID job) throws InterruptedException {
        try {
            if (!handedOver(job)) {
                take(job);
            }
            pause = FIRST_PAUSE;
        } catch (NodeUnreachable | NodeRefused notNow) {
            LOG.log(Level.DEBUG, "node {0}: job {1} is sent again when it answers: {2}", id, job, notNow.getMessage());
            again(job);
        } catch (Unreadable | DatabaseUnavailable | NotLeading away) {
            LOG.log(Level.WARNING, "node {0}: handing over job {1} is tried again: {2}", id, job, away.getMessage());
            again(job);
        } catch (RuntimeException | Error failure) {
            LOG.log(Level.ERROR, "node " + id + ": handing over job " + job + " failed and is tried again", failure);
            again(job);
        }
    }

    private void again(UUID job) throws InterruptedException {
        take(job);
        Thread.sleep(pause);
        Duration doubled = pause.multipliedBy(2);
        pause = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    }

    /** @return false if its row was moved meanwhile: look again */
    private boolean handedOver(UUID id) {
        Optional<Job> job = store.find(id);
        return job.isEmpty() || switch (job.get().state()) {
            case State.Placed(int on) when on == this.id -> {
                if (!board.active(on)) { // meanwhile the placer may find it another node
                    throw new NodeUnreachable(board.reason(on).orElse("it takes no work"));
                }
                Job sent = job.get().in(new State.Sent(on));
                yield store.move(job.get(), sent) && send(sent);
            }
            case State.Sent(int on) when on == this.id -> send(job.get());
            case State.Unplaced _, State.Placed _, State.Sent _, State.Waiting _, State.Running _, State.Ended _ -> true;
        };
    }

    private boolean send(Job job) {
        if (!board.reachable(id) || board.lost(id)) {
            throw new NodeUnreachable(board.reason(id).orElse("it is not there"));
        }
        if (job.cancelRequested().isPresent()) {
            cancel(job); // before it starts there: the tombstone keeps a late submit out
            return true;
        }
        Optional<String> template = board.template(id).filter(templates.names()::contains);
        if (template.isEmpty()) { // since it was sent to
            return takenBack(job);
        }
        Optional<String> code = store.code(job.id());
        if (code.isEmpty()) {
            return progress.fail(job, Reason.LAUNCH_FAILED, "Its code is not in the database, which came from a backup; submit it again.", true);
        }
        JobRecord said;
        try {
            said = node.submit(templates.bundle(job, template.get(), code.get()));
        } catch (NodeRefused refused) {
            return refused(job, refused);
        }
        progress.apply(id, node, said);
        return true;
    }

    /** An earlier try may still be on its way: the tombstone keeps it out before the job goes elsewhere. */
    private boolean takenBack(Job job) {
        progress.apply(id, node, node.withdraw(job.id(), job.attempt()));
        return true;
    }

    private boolean refused(Job job, NodeRefused refused) {
        return switch (refused.code()) {
            case NodeRefused.DRAINING -> {
                board.drain(id, node.info().drain().or(() -> Optional.of("it refused a job")), clock.instant());
                yield takenBack(job);
            }
            case NodeRefused.MALFORMED ->
                progress.fail(job, Reason.LAUNCH_FAILED, "Node %d refused the job: %s".formatted(id, refused.getMessage()), true);
            default -> notNow(job, refused);
        };
    }

    /** Where the node takes no work anyhow, another one may have the job; else it is sent again. */
    private boolean notNow(Job job, NodeRefused refused) {
        if (refused.code() == NodeRefused.NOT_NOW && !board.active(id)) {
            return takenBack(job);
        }
        throw new NodeUnreachable("node %d cannot take it now: %s".formatted(id, refused.getMessage()));
    }
}
