package gpuq.dispatch;

import gpuq.job.Job;
import gpuq.job.JobFilter;
import gpuq.job.Submission;
import gpuq.placement.NodeView;
import gpuq.results.Results;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** The counter of the queue: everything that {@code api} may ask of it. Any thread may call. */
public final class Jobs {

    /**
     * Accepts a job. When this returns, the job is committed.
     *
     * @return the job, or the earlier one under the same idempotency key and body
     * @throws Refused if nothing was accepted
     */
    public Job submit(Submission.Form form) {
        throw new UnsupportedOperationException();
    }

    public Optional<Job> find(UUID id) {
        throw new UnsupportedOperationException();
    }

    public List<Job> list(JobFilter filter) {
        throw new UnsupportedOperationException();
    }

    /**
     * Completes with the job when it has ended, or, as it is then, when the server is told to stop. Whoever stops waiting
     * earlier cancels the future, which frees everything but the job.
     */
    public CompletableFuture<Job> ending(UUID id) {
        throw new UnsupportedOperationException();
    }

    /** What the job left; {@link Results#NONE} before its end and after a cancel. */
    public Results results(Job job) {
        throw new UnsupportedOperationException();
    }

    /**
     * Asks for the end of a job and waits for the node's confirmation, at most {@code patience}. The wish is kept until it is done.
     *
     * @return the job as it is then: cancelled, ended otherwise in the meantime, or still unended
     */
    public Job cancel(UUID id, Duration patience) {
        throw new UnsupportedOperationException();
    }

    /** Why a pending job waits. */
    public Waiting whyWaiting(Job job) {
        throw new UnsupportedOperationException();
    }

    public List<NodeView> nodes() {
        throw new UnsupportedOperationException();
    }

    /**
     * @param position 1 for the next to start on its node
     * @param reason a stable code: {@code queued}, {@code being_sent}, {@code node_unreachable}, {@code no_active_node}, {@code cancel_requested}
     * @param detail one sentence
     */
    public record Waiting(OptionalInt position, String reason, String detail) {}
}
