package gpuq.job;

import gpuq.db.Database;
import gpuq.db.DuplicateKey;
import gpuq.db.Row;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The table of jobs. Any thread may call; every change is a compare-and-set on (attempt, version), so whoever comes second does nothing.
 *
 * <p>Every method throws {@link gpuq.db.DatabaseUnavailable} when the database does not answer.
 */
public final class JobStore {
    private static final String INSERT = """
            INSERT INTO jobs (job_id, user_id, project_id, competition_id, expected_time, time_limit, gpus, priority, wanted_node_id,
              created_at, idempotency_key, body_sha256, attempt, version, state, status, cancel_requested_at, node_id,
              started_at, completed_at, exit_code, reason, detail)
            VALUES (:job_id, :user_id, :project_id, :competition_id, :expected_time, :time_limit, :gpus, :priority, :wanted_node_id,
              :created_at, :idempotency_key, :body_sha256, :attempt, :version, :state, :status, :cancel_requested_at, :node_id,
              :started_at, :completed_at, :exit_code, :reason, :detail)""";
    private static final String UPDATE = """
            UPDATE jobs SET attempt = :attempt, version = :version, state = :state, status = :status,
              cancel_requested_at = :cancel_requested_at, node_id = :node_id, started_at = :started_at,
              completed_at = :completed_at, exit_code = :exit_code, reason = :reason, detail = :detail
            WHERE job_id = :job_id AND attempt = :from_attempt AND version = :from_version""";

    private final Database database;

    public JobStore(Database database) {
        this.database = database;
    }

    /**
     * Commits a new job: the promise. When this returns, neither a kill nor a power cut loses it.
     *
     * @throws KeyTaken if the user has used this idempotency key before
     */
    public void insert(Job job, String code, Optional<Submission.Key> key) {
        try {
            commit(job, Optional.of(code), key);
        } catch (DuplicateKey e) {
            if (key.flatMap(k -> findByKey(job.submission().userId(), k.value())).isPresent()) {
                throw new KeyTaken();
            }
            throw e;
        }
    }

    /**
     * Commits a job that a node has and the database does not know.
     *
     * @param code nothing if there is none, or it is not known
     * @return false if it is there already
     */
    public boolean adopt(Job job, Optional<String> code) {
        try {
            commit(job, code, Optional.empty());
            return true;
        } catch (DuplicateKey already) {
            return false;
        }
    }

    private void commit(Job job, Optional<String> code, Optional<Submission.Key> key) {
        Map<String, @Nullable Object> row = new HashMap<>(JobRow.submitted(job));
        row.putAll(JobRow.moving(job));
        row.put("idempotency_key", key.map(Submission.Key::value).orElse(null));
        row.put("body_sha256", key.map(Submission.Key::bodySha256).orElse(null));
        database.transaction(tx -> {
            long inserted = tx.update(INSERT, row);
            code.ifPresent(text -> tx.update("INSERT INTO job_code (job_id, code) VALUES (:job_id, :code)",
                    Map.of("job_id", job.id().toString(), "code", text)));
            return inserted;
        });
    }

    /** The user's earlier job under this idempotency key, with the hash of its body. */
    public Optional<Keyed> findByKey(String userId, String key) {
        return database.find(
                "SELECT " + JobRow.COLUMNS + ", body_sha256 FROM jobs WHERE user_id = :user_id AND idempotency_key = :idempotency_key",
                Map.of("user_id", userId, "idempotency_key", key),
                row -> new Keyed(JobRow.read(row), row.text("body_sha256")));
    }

    public Optional<Job> find(UUID id) {
        return database.find("SELECT " + JobRow.COLUMNS + " FROM jobs WHERE job_id = :job_id",
                Map.of("job_id", id.toString()), JobRow::read);
    }

    /** The same of a job that is known to exist: rows are never deleted. */
    public Job present(UUID id) {
        return find(id).orElseThrow();
    }

    public List<Job> list(JobFilter filter) {
        Map<String, Object> parameters = new HashMap<>(Map.of("most", filter.limit()));
        StringBuilder sql = new StringBuilder("SELECT ").append(JobRow.COLUMNS).append(" FROM jobs WHERE 1 = 1");
        filter.userId().ifPresent(user -> {
            sql.append(" AND user_id = :user_id");
            parameters.put("user_id", user);
        });
        filter.status().ifPresent(status -> {
            sql.append(" AND status = :status");
            parameters.put("status", status.word());
        });
        filter.before().ifPresent(place -> {
            sql.append(" AND created_at <= :created_at AND (created_at < :created_at OR job_id < :job_id)");
            parameters.put("created_at", Row.micros(place.createdAt()));
            parameters.put("job_id", place.id().toString());
        });
        // H2 reads an index in its order only if all of its columns are named; the first is the same in every row here.
        sql.append(filter.userId().isPresent() ? " ORDER BY user_id DESC, " : filter.status().isPresent() ? " ORDER BY status DESC, " : " ORDER BY ");
        sql.append("created_at DESC, job_id DESC LIMIT :most");
        return database.query(sql.toString(), parameters, JobRow::read);
    }

    /** All jobs that have not ended, oldest first. */
    public List<Job> unfinished() {
        return database.query(
                "SELECT " + JobRow.COLUMNS + " FROM jobs WHERE status IN ('pending', 'running') ORDER BY created_at, job_id",
                Map.of(), JobRow::read);
    }

    /** Jobs that no node could take, oldest first, a page of them. @param last the last one of the page before */
    public List<Job> unplaced(Optional<Job> last, int most) {
        return page("state = 'unplaced'", Map.of(), last, most);
    }

    /** Jobs that are placed on a node and have not been sent, oldest first, a page of them. @param last the last one of the page before */
    public List<Job> placedOn(int node, Optional<Job> last, int most) {
        return page("state = 'placed' AND node_id = :node_id", Map.of("node_id", node), last, most);
    }

    private List<Job> page(String which, Map<String, Object> parameters, Optional<Job> last, int most) {
        Map<String, Object> all = new HashMap<>(parameters);
        all.put("most", most);
        last.ifPresent(job -> {
            all.put("created_at", Row.micros(job.createdAt()));
            all.put("job_id", job.id().toString());
        });
        String behind = last.isEmpty() ? "" : " AND created_at >= :created_at AND (created_at > :created_at OR job_id > :job_id)";
        return database.query("SELECT " + JobRow.COLUMNS + " FROM jobs WHERE " + which + behind + " ORDER BY created_at, job_id LIMIT :most", all, JobRow::read);
    }

    /** The solution's source text; nothing of a job that was adopted without it. */
    public Optional<String> code(UUID id) {
        return database.find("SELECT code FROM job_code WHERE job_id = :job_id", Map.of("job_id", id.toString()), row -> row.text("code"));
    }

    /**
     * Commits {@code to}, the same attempt, if the row still has the attempt and version of {@code from}.
     *
     * @return whether it did; otherwise somebody else moved the job and the caller reads it again
     * @throws IllegalStateException if the state machine forbids the change
     */
    public boolean move(Job from, Job to) {
        if (to.attempt() != from.attempt()) {
            throw new IllegalStateException("job %s: a new attempt begins with the record of the last one".formatted(from.id()));
        }
        return 1 == database.update(UPDATE, moving(from, to));
    }

    /**
     * Keeps a record of the present attempt, and begins the next one or ends the job: both or neither.
     *
     * @return as {@link #move}
     * @throws IllegalStateException if the state machine forbids the change
     */
    public boolean giveUp(Job from, Job to, Attempt last) {
        if (last.number() != from.attempt() || to.attempt() == from.attempt() && !to.ended()) {
            throw new IllegalStateException("job %s: after attempt %d comes another one or the end".formatted(from.id(), last.number()));
        }
        return database.transaction(tx -> {
            boolean moved = 1 == tx.update(UPDATE, moving(from, to));
            if (moved) {
                AttemptStore.insert(tx, from.id(), last);
            }
            return moved;
        });
    }

    /**
     * Commits what only a database that is older than its nodes has to be told: that the job is on this node, with this attempt. No {@link Move}: what led
     * there is not known any more.
     *
     * @return as {@link #move}
     */
    public boolean follow(Job from, int attempt, int on) {
        Job to = new Job(from.id(), from.submission(), from.createdAt(), attempt, from.version() + 1, new State.Waiting(on), from.cancelRequested());
        return 1 == database.update(UPDATE, compared(from, to));
    }

    private static Map<String, @Nullable Object> moving(Job from, Job to) {
        new Move(from, to).fault().ifPresent(fault -> {
            throw new IllegalStateException(fault);
        });
        return compared(from, to);
    }

    private static Map<String, @Nullable Object> compared(Job from, Job to) {
        Map<String, @Nullable Object> row = new HashMap<>(JobRow.moving(to));
        row.put("job_id", from.id().toString());
        row.put("from_attempt", from.attempt());
        row.put("from_version", from.version());
        return row;
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
