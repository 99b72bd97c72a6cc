package gpuq.audit;

import gpuq.db.Database;
import gpuq.db.Row;
import gpuq.db.Statements;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/**
 * The table of what people did to the queue. Lines are only ever added: before something is done, or in the transaction that does it. A submit and its
 * end need none; the tables of jobs and attempts tell them.
 */
public final class Audit {
    /** The actor where nobody logged in: whoever may read the server's configuration. */
    public static final String COMMAND_LINE = "(command line)";

    private static final int LONGEST_DETAIL = 1000;

    private final Database database;
    private final InstantSource clock;

    public Audit(Database database, InstantSource clock) {
        this.database = database;
        this.clock = clock;
    }

    /**
     * @param actor a user's id, {@link #COMMAND_LINE}, or a server's address
     * @param act such as {@code node drain}
     * @param subject whom or what it was done to
     * @param detail {@code ""} if there is none
     */
    public record Line(Instant at, String actor, String act, String subject, String detail) {}

    public void add(String actor, String act, String subject, String detail) {
        database.transaction(tx -> add(tx, actor, act, subject, detail));
    }

    /** With what is done in the same transaction. */
    public long add(Statements tx, String actor, String act, String subject, String detail) {
        return tx.update("INSERT INTO audit (at, actor, act, subject, detail) VALUES (:at, :actor, :act, :subject, :detail)",
                Map.of("at", Row.micros(clock.instant()), "actor", actor, "act", act, "subject", subject,
                        "detail", detail.substring(0, Math.min(LONGEST_DETAIL, detail.length()))));
    }

    /** The last {@code most} lines, the newest one last. */
    public List<Line> last(int most) {
        return database.query("SELECT at, actor, act, subject, detail FROM audit ORDER BY audit_id DESC LIMIT :most", Map.of("most", most),
                row -> new Line(row.moment("at"), row.text("actor"), row.text("act"), row.text("subject"), row.text("detail"))).reversed();
    }
}
