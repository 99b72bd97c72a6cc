package gpuq.job;

import gpuq.db.Row;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** How a {@link Job} lies in its table, written and read side by side. Durations are whole seconds. */
final class JobRow {

    static final String COLUMNS = "job_id, user_id, project_id, competition_id, expected_time, time_limit, gpus, priority, wanted_node_id, created_at,"
            + " attempt, version, state, status, cancel_requested_at, node_id, started_at, completed_at, exit_code, reason, detail";

    /** The most characters that the column keeps of the sentence that says why a job failed. */
    static final int MOST_DETAIL = 1000;

    private JobRow() {}

    /** What was submitted: never changes. */
    static Map<String, @Nullable Object> submitted(Job job) {
        Submission asked = job.submission();
        Map<String, @Nullable Object> values = new HashMap<>();
        values.put("job_id", job.id().toString());
        values.put("user_id", asked.userId());
        values.put("project_id", asked.projectId());
        values.put("competition_id", asked.competitionId().orElse(null));
        values.put("expected_time", asked.expectedTime().toSeconds());
        values.put("time_limit", asked.timeLimit().toSeconds());
        values.put("gpus", asked.gpus());
        values.put("priority", asked.priority());
        values.put("wanted_node_id", boxed(asked.node()));
        values.put("created_at", Row.micros(job.createdAt()));
        return values;
    }

    /** Where the job is: changes with every move. */
    static Map<String, @Nullable Object> moving(Job job) {
        Map<String, @Nullable Object> values = new HashMap<>();
        values.put("attempt", job.attempt());
        values.put("version", job.version());
        values.put("state", job.state().word());
        values.put("status", job.status().word());
        values.put("cancel_requested_at", micros(job.cancelRequested()));
        values.put("node_id", boxed(job.state().node()));
        values.put("started_at", micros(startedAt(job.state())));
        values.put("completed_at", job.state() instanceof State.Ended ended ? Row.micros(ended.at()) : null);
        Optional<Outcome> outcome = job.state() instanceof State.Ended ended ? Optional.of(ended.outcome()) : Optional.empty();
        values.put("exit_code", boxed(outcome.map(Outcome::exitCode).orElse(OptionalInt.empty())));
        values.put("reason", outcome.flatMap(Outcome::reason).map(Reason::code).orElse(null));
        values.put("detail", outcome.map(o -> o instanceof Outcome.Failed failed ? clipped(failed.detail()) : null).orElse(null));
        return values;
    }

    static Job read(Row row) {
        Submission asked = new Submission(
                row.text("user_id"), row.text("project_id"), row.optionalText("competition_id"),
                Duration.ofSeconds(row.whole("expected_time")), Duration.ofSeconds(row.whole("time_limit")),
                row.number("gpus"), row.number("priority"), row.optionalNumber("wanted_node_id"));
        return new Job(UUID.fromString(row.text("job_id")), asked, row.moment("created_at"),
                row.number("attempt"), row.whole("version"), state(row), row.optionalMoment("cancel_requested_at"));
    }

    private static State state(Row row) {
        return switch (row.text("state")) {
            case "unplaced" -> new State.Unplaced();
            case "placed" -> new State.Placed(row.number("node_id"));
            case "sent" -> new State.Sent(row.number("node_id"));
            case "waiting" -> new State.Waiting(row.number("node_id"));
            case "running" -> new State.Running(row.number("node_id"), row.moment("started_at"));
            case "ended" -> new State.Ended(
                    row.optionalNumber("node_id"), row.optionalMoment("started_at"), row.moment("completed_at"), outcome(row));
            default -> throw new IllegalStateException("job %s: unknown state '%s'".formatted(row.text("job_id"), row.text("state")));
        };
    }

    private static Outcome outcome(Row row) {
        return switch (Status.of(row.text("status")).orElseThrow()) {
            case COMPLETED -> new Outcome.Completed(row.number("exit_code"));
            case FAILED -> new Outcome.Failed(
                    Reason.of(row.text("reason")).orElseThrow(), row.text("detail"), row.optionalNumber("exit_code"));
            case CANCELLED -> new Outcome.Cancelled();
            case PENDING, RUNNING -> throw new IllegalStateException("job %s: ended, but %s".formatted(row.text("job_id"), row.text("status")));
        };
    }

    private static Optional<Instant> startedAt(State state) {
        return switch (state) {
            case State.Running running -> Optional.of(running.startedAt());
            case State.Ended ended -> ended.startedAt();
            case State.Unplaced u -> Optional.empty();
            case State.Placed p -> Optional.empty();
            case State.Sent s -> Optional.empty();
            case State.Waiting w -> Optional.empty();
        };
    }

    static String clipped(String detail) {
        return detail.length() <= MOST_DETAIL ? detail : detail.substring(0, MOST_DETAIL - 1) + "…";
    }

    private static @Nullable Long micros(Optional<Instant> moment) {
        return moment.map(Row::micros).orElse(null);
    }

    static @Nullable Integer boxed(OptionalInt number) {
        return number.isPresent() ? (Integer) number.getAsInt() : null;
    }
}
