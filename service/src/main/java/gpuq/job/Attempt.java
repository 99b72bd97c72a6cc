package gpuq.job;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * An attempt that is over: the job was given to another node after it, or again to the same.
 *
 * @param number 1, 2, …
 * @param on the node that had it
 * @param reason why it is over: the {@linkplain Reason#code code} of a system failure, or {@link #MOVED}
 * @param detail one sentence for people
 * @param settled whether nothing of it can run any more, by its node's own word; otherwise the node ends it before it gets work again
 */
public record Attempt(
        int number, OptionalInt on, Optional<Instant> startedAt, Instant endedAt, String reason, String detail, boolean settled) {

    /** It had not started, and was taken back. */
    public static final String MOVED = "moved";

    /** The present attempt of {@code job}, given up. */
    public static Attempt failed(Job job, Optional<Instant> startedAt, Instant at, Outcome.Failed how, boolean settled) {
        return new Attempt(job.attempt(), job.state().node(), startedAt, at, how.because().code(), how.detail(), settled);
    }

    /** The present attempt of {@code job}, taken back before it started. */
    public static Attempt moved(Job job, Instant at, String detail) {
        return new Attempt(job.attempt(), job.state().node(), Optional.empty(), at, MOVED, detail, true);
    }

    /** Whether the system failed it; a job has three such attempts at most. */
    public boolean failed() {
        return Reason.of(reason).isPresent();
    }
}
