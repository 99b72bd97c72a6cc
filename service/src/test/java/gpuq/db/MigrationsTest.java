package gpuq.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.db.Migrations.Script;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MigrationsTest {
    @TempDir Path folder;
    Database database;

    @BeforeEach
    void open() {
        database = Database.open(TestDatabase.in(folder));
    }

    @AfterEach
    void close() {
        database.close();
    }

    @Test
    void a_schema_that_is_up_to_date_is_left_alone() {
        List<Long> before = appliedAt();
        close();
        open();
        assertEquals(before, appliedAt());
    }

    @Test
    void a_script_whose_line_was_lost_to_a_kill_runs_again() {
        int all = appliedAt().size();
        for (int version = all; version > 0; version--) {
            database.update("DELETE FROM schema_version WHERE version >= :version", Map.of("version", version));
            close();
            open();
            assertEquals(all, appliedAt().size());
        }
    }

    @Test
    void a_schema_of_a_newer_gpuq_is_refused_in_one_sentence() {
        int next = appliedAt().size() + 1;
        database.update("INSERT INTO schema_version (version, script, sha256, applied_at) VALUES (:next, 'later.sql', 'x', 0)",
                Map.of("next", next));
        close();
        var thrown = assertThrows(SchemaRefused.class, this::open);
        assertEquals("the database's schema has version %d, but this gpuq knows %d at most: it was used by a newer gpuq; start that one".formatted(next, next - 1),
                thrown.getMessage());
    }

    @Test
    void a_script_that_was_changed_after_it_was_applied_is_refused_by_name() {
        var changed = new Migrations(List.of(Script.of(1, "001-users.sql", "CREATE TABLE other (a INT)")));
        database.update("DELETE FROM schema_version WHERE version > 1", Map.of());
        var thrown = assertThrows(SchemaRefused.class, () -> changed.apply(database, Clock.systemUTC()));
        assertTrue(thrown.getMessage().contains("001-users.sql"), thrown.getMessage());
    }

    @Test
    void a_database_that_was_refused_at_start_is_not_left_locked() {
        database.update("UPDATE schema_version SET sha256 = 'x' WHERE version = 2", Map.of());
        close();
        assertThrows(SchemaRefused.class, this::open);
        assertThrows(SchemaRefused.class, this::open);
    }

    private List<Long> appliedAt() {
        return database.query("SELECT applied_at FROM schema_version ORDER BY version", Map.of(), row -> row.whole("applied_at"));
    }
}
