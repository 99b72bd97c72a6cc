package gpuq.dispatch;

import gpuq.db.DatabaseUnavailable;
import gpuq.db.NotLeading;
import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.State;
import gpuq.node.NodeRefused;
import gpuq.node.NodeUnreachable;
import gpuq.node.Unreadable;
import gpuq.sync.Endings;
import gpuq.sync.Progress;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Ends jobs for their owners. Of a job that no node can have, the database decides; any other is ended by its node alone, and the row keeps the
 * wish until that has happened.
 */
final class Canceller {
    private static final Logger LOG = System.getLogger(Canceller.class.getName());

    private final JobStore store;
    private final Nodes nodes;
    private final Progress progress;
    private final Endings endings;
    private final InstantSource clock;

    Canceller(JobStore store, Nodes nodes, Progress progress, Endings endings, InstantSource clock) {
        this.store = store;
        this.nodes = nodes;
        this.progress = progress;
        this.endings = endings;
        this.clock = clock;
    }

    /** @return the job as it is when its node has confirmed, or when the time is over */
    Job cancel(UUID id, Duration patience) {
        while (true) {
            Job job = store.present(id);
            Optional<Job> done = switch (job.state()) {
                case State.Ended _ -> Optional.of(job);
                case State.Unplaced _, State.Placed _ -> progress.cancelUnsent(job);
                case State.Sent _, State.Waiting _, State.Running _ -> wished(job).map(wish -> onNode(wish, patience));
            };
            if (done.isPresent()) {
                return done.get();
            } // otherwise somebody else moved it in between: look again
        }
    }

    private Optional<Job> wished(Job job) {
        if (job.cancelRequested().isPresent()) {
            return Optional.of(job);
        }
        Job wish = job.cancelRequested(clock.instant());
        return store.move(job, wish) ? Optional.of(wish) : Optional.empty();
    }

    private Job onNode(Job job, Duration patience) {
        CompletableFuture<Job> ending = endings.of(job, store::present);
        Thread.startVirtualThread(() -> tell(job, ending));
        try {
            return ending.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | CancellationException | ExecutionException notConfirmed) {
            ending.cancel(false);
        } catch (InterruptedException stop) {
            ending.cancel(false);
            Thread.currentThread().interrupt();
        }
        return now(job);
    }

    /** The wish is kept: that the database is away now is not the owner's business. */
    private Job now(Job wish) {
        try {
            return store.present(wish.id());
        } catch (DatabaseUnavailable away) {
            return wish;
        }
    }

    /** A node that is away hears it when it is back: the follower tells every kept wish again. */
    private void tell(Job job, CompletableFuture<Job> ending) {
        int on = job.state().node().orElseThrow();
        try {
            nodes.courier(on).orElseThrow(() -> new NodeUnreachable("node %d is not configured".formatted(on))).cancel(job);
        } catch (NodeUnreachable | NodeRefused | Unreadable | DatabaseUnavailable | NotLeading away) {
            LOG.log(Level.INFO, "that node {0} has ended job {1} is not known yet; it is told again: {2}", on, job.id(), away.getMessage());
            ending.cancel(false);
        }
    }
}
