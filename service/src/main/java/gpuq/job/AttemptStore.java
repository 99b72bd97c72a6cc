package gpuq.job;

import gpuq.db.Database;
import gpuq.db.Row;
import gpuq.db.Statements;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The table of attempts that are over. They are written by {@link JobStore#giveUp}, with the row that begins the next one. Any thread may call. */
public final class AttemptStore {
    private final Database database;

    public AttemptStore(Database database) {
        this.database = database;
    }

    /** @param attempt its number */
    public record Unsettled(UUID job, int attempt) {}

    static void insert(Statements tx, UUID job, Attempt attempt) {
        Map<String, @Nullable Object> row = new HashMap<>();
        row.put("job_id", job.toString());
        row.put("attempt", attempt.number());
        row.put("node_id", JobRow.boxed(attempt.on()));
        row.put("started_at", attempt.startedAt().map(Row::micros).orElse(null));
        row.put("ended_at", Row.micros(attempt.endedAt()));
        row.put("reason", attempt.reason());
        row.put("detail", JobRow.clipped(attempt.detail()));
        row.put("settled", attempt.settled() ? 1 : 0);
        tx.update("""
                INSERT INTO attempts (job_id, attempt, node_id, started_at, ended_at, reason, detail, settled)
                VALUES (:job_id, :attempt, :node_id, :started_at, :ended_at, :reason, :detail, :settled)""", row);
    }

    /** The attempts of a job that are over, the first one first. */
    public List<Attempt> of(UUID job) {
        return database.query(
                "SELECT attempt, node_id, started_at, ended_at, reason, detail, settled FROM attempts WHERE job_id = :job_id ORDER BY attempt",
                Map.of("job_id", job.toString()), AttemptStore::read);
    }

    /** The attempts that a node may still run although they are over. */
    public List<Unsettled> unsettledOn(int node) {
        return database.query("SELECT job_id, attempt FROM attempts WHERE node_id = :node_id AND settled = 0 ORDER BY job_id, attempt",
                Map.of("node_id", node), row -> new Unsettled(UUID.fromString(row.text("job_id")), row.number("attempt")));
    }

    /** Nothing of it runs any more. */
    public void settle(Unsettled attempt) {
        database.update("UPDATE attempts SET settled = 1 WHERE job_id = :job_id AND attempt = :attempt",
                Map.of("job_id", attempt.job().toString(), "attempt", attempt.attempt()));
    }

    private static Attempt read(Row row) {
        OptionalInt on = row.optionalNumber("node_id");
        return new Attempt(row.number("attempt"), on, row.optionalMoment("started_at"), row.moment("ended_at"),
                row.text("reason"), row.text("detail"), row.number("settled") == 1);
    }
}
