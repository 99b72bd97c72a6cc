package gpuq.dispatch;

import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.Reason;
import gpuq.job.State;
import gpuq.launch.LaunchTemplates;
import gpuq.node.Node;
import gpuq.node.NodeRefused;
import gpuq.node.NodeUnreachable;
import gpuq.placement.Board;
import gpuq.sync.Progress;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Hands jobs to one node, in the order of their submits, on a virtual thread of its own. {@code sent} is committed before the first byte
 * goes out; a command whose answer was lost is sent again, because the node knows (job, attempt). Its loop never ends before it is closed.
 */
final class Courier implements Runnable {
    private static final Logger LOG = System.getLogger(Courier.class.getName());
    private static final Duration PAUSE = Duration.ofMillis(200);

    private final int id;
    private final Node node;
    private final Board board;
    private final JobStore store;
    private final LaunchTemplates templates;
    private final Progress progress;
    private final LinkedBlockingQueue<UUID> jobs = new LinkedBlockingQueue<>();
    private final Set<UUID> taken = ConcurrentHashMap.newKeySet();

    Courier(int id, Node node, Board board, JobStore store, LaunchTemplates templates, Progress progress) {
        this.id = id;
        this.node = node;
        this.board = board;
        this.store = store;
        this.templates = templates;
        this.progress = progress;
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

    /** Hands over until the thread is interrupted. */
    @Override
    public void run() {
        try {
            while (true) {
                UUID job = jobs.take();
                taken.remove(job);
                while (!delivered(job)) {
                    Thread.sleep(PAUSE);
                }
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return false if it has to be tried again */
    private boolean delivered(UUID id) {
        try {
            Optional<Job> job = store.find(id).flatMap(this::committedAsSent);
            job.ifPresent(this::send);
            return true;
        } catch (NodeUnreachable away) {
            LOG.log(Level.DEBUG, "node {0}: job {1} is sent again when it answers: {2}", this.id, id, away.getMessage());
        } catch (RuntimeException failure) {
            LOG.log(Level.ERROR, "node " + this.id + ": handing over job " + id + " failed and is tried again", failure);
        }
        return false;
    }

    /**
     * Only a job that is still meant for this node is sent, and only once that is on disk. A placed one whose node takes no work is left to
     * {@link Placer}.
     */
    private Optional<Job> committedAsSent(Job job) {
        return switch (job.state()) {
            case State.Placed(int on) when on == id && board.active(id) -> {
                Job sent = job.in(new State.Sent(id));
                yield store.move(job, sent) ? Optional.of(sent) : store.find(job.id()).flatMap(this::committedAsSent);
            }
            case State.Sent(int on) when on == id -> Optional.of(job);
            case State.Unplaced _, State.Placed _, State.Sent _, State.Waiting _, State.Running _, State.Ended _ -> Optional.empty();
        };
    }

    private void send(Job job) {
        if (!board.reachable(id)) {
            throw new NodeUnreachable(board.reason(id).orElse("it has not answered yet"));
        }
        String template = board.template(id).orElseThrow(() -> new NodeUnreachable("its configuration names no launch template"));
        try {
            progress.apply(id, node, node.submit(templates.bundle(job, template, store.code(job.id()))));
        } catch (NodeRefused refused) {
            refused(job, refused);
        }
    }

    private void refused(Job job, NodeRefused refused) {
        switch (refused.code()) {
            case NodeRefused.DRAINING -> putBack(job, refused.getMessage());
            case NodeRefused.MALFORMED ->
                progress.fail(job, Reason.LAUNCH_FAILED, "Node %d refused the job: %s".formatted(id, refused.getMessage()));
            default -> throw new NodeUnreachable("node %d cannot take it now: %s".formatted(id, refused.getMessage()));
        }
    }

    private void putBack(Job job, String why) {
        board.draining(id, why);
        if (store.move(job, job.retried(new State.Unplaced()))) {
            board.leave(job.id());
        }
    }
}
