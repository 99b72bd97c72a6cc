package gpuq.job;

import gpuq.db.Database;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The table of jobs. */
public final class JobStore {

    public JobStore(Database database) {}

    /**
     * Commits a new job: the promise. When this returns, neither a kill nor a power cut loses it.
     *
     * @throws KeyTaken if the user has used this idempotency key before
     */
    public void insert(Job job, String code, Optional<Submission.Key> key) {
        throw new UnsupportedOperationException();
    }

    /** The user's earlier job under this idempotency key, with the hash of its body. */
    public Optional<Keyed> findByKey(String userId, String key) {
        throw new UnsupportedOperationException();
    }

    public Optional<Job> find(UUID id) {
        throw new UnsupportedOperationException();
    }

    public List<Job> list(JobFilter filter) {
        throw new UnsupportedOperationException();
    }

    /** All jobs that have not ended, oldest first. */
    public List<Job> unfinished() {
        throw new UnsupportedOperationException();
    }

    /** All jobs of which nothing has been sent, unplaced and placed, oldest first. */
    public List<Job> unsent() {
        throw new UnsupportedOperationException();
    }

    /** The solution's source text. */
    public String code(UUID id) {
        throw new UnsupportedOperationException();
    }

    /**
     * Commits {@code to} if the row still has the attempt and version of {@code from}.
     *
     * @return whether it did; otherwise somebody else moved the job and the caller reads it again
     * @throws IllegalStateException if the state machine forbids the change
     */
    public boolean move(Job from, Job to) {
        throw new UnsupportedOperationException();
    }

    /** An earlier submit under the same idempotency key. */
    public record Keyed(Job job, String bodySha256) {}

    /** The idempotency key is in use. */
    public static final class KeyTaken extends RuntimeException {
        public KeyTaken() {
            super("the idempotency key is in use");
        }
    }
}
