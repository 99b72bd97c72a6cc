package gpuq.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class DatabaseTest {
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
    void a_transaction_commits_when_its_work_returns() {
        assertEquals("done", database.transaction(tx -> {
            insert(tx, "ann");
            insert(tx, "bob");
            return "done";
        }));
        assertEquals(List.of("ann", "bob"), users());
    }

    @Test
    void a_transaction_rolls_back_when_its_work_throws_and_gives_its_connection_back() {
        for (int i = 0; i < 3 * DatabaseSettings.CONNECTIONS; i++) {
            var thrown = assertThrows(IllegalStateException.class, () -> database.transaction(tx -> {
                insert(tx, "ann");
                throw new IllegalStateException("no");
            }));
            assertEquals("no", thrown.getMessage());
        }
        assertEquals(List.of(), users());
    }

    @Test
    void a_statement_that_is_refused_in_a_transaction_undoes_those_before_it() {
        database.transaction(tx -> insert(tx, "ann"));
        for (int i = 0; i < 3 * DatabaseSettings.CONNECTIONS; i++) {
            assertThrows(DuplicateKey.class, () -> database.transaction(tx -> {
                insert(tx, "bob");
                return insert(tx, "ann");
            }));
        }
        assertEquals(List.of("ann"), users());
    }

    @Test
    void a_mistake_in_a_statement_is_not_called_an_outage_and_leaks_nothing() {
        for (int i = 0; i < 3 * DatabaseSettings.CONNECTIONS; i++) {
            for (Executable mistake : List.<Executable>of(
                    () -> database.update("UPDATE nothing SET a = 1", Map.of()),
                    () -> database.query("SELECT nothing FROM users", Map.of(), Row::toString),
                    () -> database.query("SELECT user_id FROM users WHERE user_id = :missing", Map.of(), Row::toString),
                    () -> database.transaction(tx -> tx.query("SELECT nothing FROM users", Map.of(), Row::toString)))) {
                var thrown = assertThrows(RuntimeException.class, mistake);
                assertTrue(!(thrown instanceof DatabaseException), thrown.toString());
            }
        }
        assertEquals(List.of(), users());
    }

    @Test
    void a_thread_that_is_interrupted_while_it_commits_does_not_close_the_database_for_others() throws InterruptedException {
        for (int i = 0; i < 50; i++) {
            String id = "u" + i;
            Thread thread = Thread.ofVirtual().unstarted(() -> {
                Thread.currentThread().interrupt();
                try {
                    database.transaction(tx -> insert(tx, id));
                } catch (DatabaseException e) {
                    // it may be refused, but nobody else
                }
            });
            thread.start();
            thread.join();
            Thread direct = Thread.ofVirtual().unstarted(() -> database.transaction(tx -> {
                long inserted = insert(tx, id + "x");
                Thread.currentThread().interrupt();
                return inserted;
            }));
            direct.start();
            direct.join();
            database.transaction(tx -> insert(tx, id + "y"));
        }
        assertEquals(100, users().stream().filter(id -> id.endsWith("x") || id.endsWith("y")).count());
        reopen();
        assertEquals(100, users().stream().filter(id -> id.endsWith("x") || id.endsWith("y")).count());
    }

    @Test
    void what_was_committed_is_there_after_a_clean_close_and_another_start() {
        database.transaction(tx -> insert(tx, "ann"));
        reopen();
        assertEquals(List.of("ann"), users());
    }

    @Test
    void a_closed_database_is_unavailable() {
        database.close();
        assertThrows(DatabaseUnavailable.class, this::users);
        assertThrows(DatabaseUnavailable.class, () -> database.transaction(tx -> insert(tx, "ann")));
        database.close();
    }

    @Test
    void a_folder_that_cannot_be_written_is_named_in_one_sentence() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        var thrown = assertThrows(DatabaseUnavailable.class, () -> Database.open(DatabaseSettings.embedded(file.resolve("below/gpuq"))));
        assertTrue(thrown.getMessage().startsWith("the database's folder " + file.resolve("below") + " cannot be written"), thrown.getMessage());
        assertEquals(1, thrown.getMessage().lines().count());
    }

    @Test
    void a_database_that_is_not_there_is_named_in_one_sentence_without_its_password() {
        var settings = new DatabaseSettings("jdbc:mysql://127.0.0.1:1/gpuq?connectTimeout=200", "gpuq", "very secret", 2);
        var thrown = assertThrows(DatabaseUnavailable.class, () -> Database.open(settings));
        assertTrue(thrown.getMessage().startsWith("the database jdbc:mysql://127.0.0.1:1/gpuq cannot be opened: "), thrown.getMessage());
        assertEquals(1, thrown.getMessage().lines().count());
        assertTrue(!(thrown.getMessage() + settings).contains("very secret"));
    }

    @Test
    void moments_are_kept_to_the_microsecond_before_and_after_1970() {
        for (String moment : List.of("1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2026-11-23T12:00:00.123456Z")) {
            Instant at = Instant.parse(moment);
            database.update("INSERT INTO users (user_id, admin, created_at) VALUES (:id, 0, :at)", Map.of("id", moment, "at", Row.micros(at)));
            Instant read = database.find("SELECT created_at FROM users WHERE user_id = :id", Map.of("id", moment), row -> row.moment("created_at"))
                    .orElseThrow();
            assertEquals(at, read);
        }
        assertEquals(Row.micros(Instant.parse("2026-11-23T12:00:00.123456Z")), Row.micros(Instant.parse("2026-11-23T12:00:00.123456999Z")));
    }

    private void reopen() {
        close();
        open();
    }

    private static long insert(Statements tx, String id) {
        return tx.update("INSERT INTO users (user_id, admin, created_at) VALUES (:id, 0, :at)",
                Map.of("id", id, "at", Row.micros(Clock.systemUTC().instant())));
    }

    private List<String> users() {
        return database.query("SELECT user_id FROM users ORDER BY user_id", Map.of(), row -> row.text("user_id"));
    }
}
