package gpuq.job;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/** Jobs to test with. */
public final class JobSamples {
    public static final Instant T0 = Instant.parse("2026-11-23T12:00:00.123456Z");

    private JobSamples() {}

    static Submission submission(String user) {
        return new Submission(user, "my_project", Optional.of("random-acts-of-pizza"), Duration.ofSeconds(60), Duration.ofDays(7), 2, -3, OptionalInt.of(7));
    }

    static Job job() {
        return job("sarang", T0);
    }

    static Job job(String user, Instant createdAt) {
        return job(user, createdAt, new State.Placed(0));
    }

    public static Job job(String user, Instant createdAt, State state) {
        return new Job(UUID.randomUUID(), submission(user), createdAt, 1, 1, state, Optional.empty());
    }

    /** The record of the job's present attempt, when it was taken back. */
    static Attempt over(Job job) {
        return Attempt.moved(job, T0.plusSeconds(9), "Another node could take it.");
    }

    /** At least one of every kind; two where the facts in it matter. */
    static List<State> everyState() {
        return List.of(
                new State.Unplaced(),
                new State.Placed(0),
                new State.Placed(1),
                new State.Sent(0),
                new State.Sent(1),
                new State.Waiting(0),
                new State.Waiting(1),
                new State.Running(0, T0.plusSeconds(1)),
                new State.Running(1, T0.plusSeconds(1)),
                new State.Running(0, T0.plusSeconds(2)),
                ended(new Outcome.Completed(0)),
                ended(new Outcome.Failed(Reason.TIME_LIMIT, "it reached its time limit of 60 s", OptionalInt.of(137))),
                ended(new Outcome.Failed(Reason.NODE_LOST, "the node was lost", OptionalInt.empty())),
                new State.Ended(OptionalInt.empty(), Optional.empty(), T0.plusSeconds(3), new Outcome.Cancelled()));
    }

    static State.Ended ended(Outcome outcome) {
        return new State.Ended(OptionalInt.of(0), Optional.of(T0.plusSeconds(1)), T0.plusSeconds(3), outcome);
    }
}
