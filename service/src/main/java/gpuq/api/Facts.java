package gpuq.api;

import gpuq.job.Job;
import gpuq.job.Outcome;
import gpuq.job.State;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The facts of a job as the bodies of answers show them: null for what is not so, or not known yet. */
record Facts(Job job) {

    String id() {
        return job.id().toString();
    }

    String status() {
        return job.status().word();
    }

    @Nullable Integer node() {
        return number(job.state().node());
    }

    String createdAt() {
        return Moments.text(job.createdAt());
    }

    @Nullable String startedAt() {
        return switch (job.state()) {
            case State.Running running -> Moments.text(running.startedAt());
            case State.Ended ended -> moment(ended.startedAt());
            case State.Unplaced u -> null;
            case State.Placed p -> null;
            case State.Sent s -> null;
            case State.Waiting w -> null;
        };
    }

    @Nullable String completedAt() {
        return job.completedAt().map(Moments::text).orElse(null);
    }

    @Nullable Integer exitCode() {
        return outcome().map(outcome -> number(outcome.exitCode())).orElse(null);
    }

    Optional<Outcome> outcome() {
        return job.state() instanceof State.Ended ended ? Optional.of(ended.outcome()) : Optional.empty();
    }

    static @Nullable Integer number(OptionalInt value) {
        return value.isPresent() ? (Integer) value.getAsInt() : null;
    }

    private static @Nullable String moment(Optional<Instant> value) {
        return value.map(Moments::text).orElse(null);
    }
}
