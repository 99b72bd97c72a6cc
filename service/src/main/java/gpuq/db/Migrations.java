package gpuq.db;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Brings a schema up to date by scripts that are numbered in their order and never changed once released.
 *
 * <p>A script is one statement that may be repeated ({@code CREATE TABLE IF NOT EXISTS}, {@code MODIFY COLUMN}): MySQL commits each DDL statement by itself, so a
 * kill between a script and its line in {@code schema_version} makes the next start run it again.
 */
final class Migrations {

    private static final List<String> SCRIPTS =
            List.of("001-users.sql", "002-tokens.sql", "003-jobs.sql", "004-job-code.sql", "005-nodes.sql",
                    "006-attempts.sql", "007-jobs-without-competition.sql", "008-lost-nodes.sql",
                    "009-lease.sql", "010-results.sql", "011-node-conditions.sql", "012-audit.sql",
                    "013-wanted-node.sql");

    private static final String VERSIONS = """
            CREATE TABLE IF NOT EXISTS schema_version (
              version INT NOT NULL PRIMARY KEY,
              script VARCHAR(100) NOT NULL,
              sha256 VARCHAR(64) NOT NULL,
              applied_at BIGINT NOT NULL
            )""";

    private final List<Script> scripts;

    Migrations() {
        this(IntStream.range(0, SCRIPTS.size()).mapToObj(i -> Script.read(i + 1, SCRIPTS.get(i))).toList());
    }

    Migrations(List<Script> scripts) {
        this.scripts = scripts;
    }

    /** @throws SchemaRefused if the schema is newer than this program or was made by other scripts */
    void apply(Database database, Clock clock) {
        database.update(VERSIONS, Map.of());
        List<Script> applied = database.query(
                "SELECT version, script, sha256 FROM schema_version ORDER BY version", Map.of(),
                row -> new Script(row.number("version"), row.text("script"), "", row.text("sha256")));
        if (applied.size() > scripts.size()) {
            throw new SchemaRefused("the database's schema has version %d, but this gpuq knows %d at most: "
                    .formatted(applied.size(), scripts.size()) + "it was used by a newer gpuq; start that one");
        }
        for (int i = 0; i < applied.size(); i++) {
            if (applied.get(i).version != i + 1 || !applied.get(i).sha256.equals(scripts.get(i).sha256)) {
                throw new SchemaRefused("the database's schema was made by another %s than this gpuq's: one of the two was changed by hand"
                        .formatted(scripts.get(i).name));
            }
        }
        for (Script script : scripts.subList(applied.size(), scripts.size())) {
            run(database, script);
            database.update("INSERT INTO schema_version (version, script, sha256, applied_at) VALUES (:version, :script, :sha256, :at)",
                    Map.of("version", script.version, "script", script.name, "sha256", script.sha256, "at", Row.micros(clock.instant())));
        }
    }

    /** A script may run again, when its line was lost to a kill. Of a column that it adds, nobody can ask for it only if it is not there. */
    private static void run(Database database, Script script) {
        try {
            database.update(script.sql, Map.of());
        } catch (RuntimeException failure) {
            if (!Faults.columnIsThere(failure)) {
                throw failure;
            }
        }
    }

    record Script(int version, String name, String sql, String sha256) {

        static Script of(int version, String name, String sql) {
            try {
                byte[] hash = MessageDigest.getInstance("SHA-256").digest(sql.getBytes(StandardCharsets.UTF_8));
                return new Script(version, name, sql, HexFormat.of().formatHex(hash));
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError(e);
            }
        }

        static Script read(int version, String name) {
            try (InputStream in = Migrations.class.getResourceAsStream(name)) {
                if (in == null) {
                    throw new AssertionError("no migration " + name);
                }
                return of(version, name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
