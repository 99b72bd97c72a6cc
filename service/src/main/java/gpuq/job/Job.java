package gpuq.job;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * One submitted unit of work, as one row of the database says it.
 *
 * @param createdAt when the submit was accepted, to the microsecond
 * @param attempt 1, 2, …: a new one each time the job is given to another node
 * @param version grows with every change of the row; {@link JobStore#move} compares it
 * @param cancelRequested when its owner asked to cancel it, if it has not ended since
 */
public record Job(
        UUID id,
        Submission submission,
        Instant createdAt,
        int attempt,
        long version,
        State state,
        Optional<Instant> cancelRequested) {

    public Status status() {
        return state.status();
    }

    /** Whether it was submitted by hand on its node: the server shows it and may cancel it, but cannot give it to another node. */
    public boolean operators() {
        return submission.userId().equals(Submission.OPERATOR);
    }

    public boolean ended() {
        return state instanceof State.Ended;
    }

    /** When it ended, if it has. */
    public Optional<Instant> completedAt() {
        return state instanceof State.Ended ended ? Optional.of(ended.at()) : Optional.empty();
    }

    /** The same job one version later, in another state. */
    public Job in(State next) {
        return new Job(id, submission, createdAt, attempt, version + 1, next, cancelRequested);
    }

    /** The same job one version later, as a new attempt. */
    public Job retried(State next) {
        return new Job(id, submission, createdAt, attempt + 1, version + 1, next, cancelRequested);
    }

    /** The same job one version later, with its owner's wish to cancel it. */
    public Job cancelRequested(Instant at) {
        return new Job(id, submission, createdAt, attempt, version + 1, state, Optional.of(at));
    }
}
