package gpuq.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.Eventually;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What only a MySQL server does to those who use it. */
@Tag("mysql")
@Timeout(100)
class MysqlTest {
    private static final Duration SOME_SECONDS = Duration.ofSeconds(30);

    private static MysqlServer mysql;
    private static int databases;

    private DatabaseSettings settings;
    private Database database;

    @BeforeAll
    static void start() {
        mysql = MysqlServer.start();
    }

    @AfterAll
    static void stop() {
        mysql.close();
    }

    @BeforeEach
    void open() {
        settings = mysql.administrator().database("test" + databases++);
        database = Database.open(settings);
        for (String id : List.of("ann", "bob")) {
            database.update("INSERT INTO users (user_id, admin, created_at) VALUES (:id, 0, 0)", Map.of("id", id));
        }
    }

    @AfterEach
    void close() {
        database.close();
    }

    @Test
    void two_transactions_that_deadlock_are_both_committed() {
        CountDownLatch both = new CountDownLatch(2);
        AtomicInteger tries = new AtomicInteger();
        var one = async(() -> touch(database, both, tries, "ann", "bob"));
        var other = async(() -> touch(database, both, tries, "bob", "ann"));
        assertEquals(2, one.join() + other.join());
        assertTrue(tries.get() > 2, "there was no deadlock");
        assertEquals(List.of(2L, 2L), touched());
    }

    /** Touches two users in this order, with others who do so in between. */
    private static int touch(Database database, CountDownLatch others, AtomicInteger tries, String first, String second) {
        return database.transaction(tx -> {
            tries.incrementAndGet();
            touch(tx, first);
            others.countDown();
            await(others);
            touch(tx, second);
            return 1;
        });
    }

    @Test
    void a_row_that_is_held_is_waited_for_some_seconds_and_tried_again() {
        AtomicInteger tries = new AtomicInteger();
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch again = new CountDownLatch(2);
        var holder = async(() -> database.transaction(tx -> {
            touch(tx, "ann");
            held.countDown();
            await(again);
            return 1;
        }));
        await(held);
        database.transaction(tx -> {
            tries.incrementAndGet();
            again.countDown();
            return touch(tx, "ann");
        });
        holder.join();
        assertEquals(2, tries.get());
        assertEquals(List.of(2L, 0L), touched());
    }

    @Test
    void a_commit_whose_answer_is_lost_is_not_made_twice() {
        try (CommitRelay relay = new CommitRelay(mysql.port()); Database behind = Database.open(relay.through(settings))) {
            AtomicInteger tries = new AtomicInteger();
            relay.lose(commit -> commit == 1);
            assertThrows(DatabaseUnavailable.class, () -> behind.transaction(tx -> {
                tries.incrementAndGet();
                return touch(tx, "ann");
            }));
            assertEquals(1, tries.get());
            assertEquals(List.of(1L, 0L), touched());
            behind.transaction(tx -> touch(tx, "bob"));
            assertEquals(List.of(1L, 1L), touched());
        }
    }

    @Test
    void a_server_that_became_read_only_is_left_for_the_one_that_answers_in_its_place() {
        List<Long> before = connection();
        mysql.administrator().execute("SET GLOBAL super_read_only = ON");
        try {
            assertThrows(DatabaseUnavailable.class, () -> database.transaction(tx -> touch(tx, "ann")));
            assertEquals(List.of(0L, 0L), touched());
            assertNotEquals(before, connection());
        } finally {
            mysql.administrator().execute("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF");
        }
        database.transaction(tx -> touch(tx, "ann"));
        assertEquals(List.of(1L, 0L), touched());
    }

    @Test
    void a_frozen_server_is_unavailable_within_seconds_also_in_the_middle_of_a_transaction() {
        try {
            assertThrows(DatabaseUnavailable.class, () -> database.transaction(tx -> {
                mysql.freeze();
                return touch(tx, "ann");
            }));
            assertTimeout(SOME_SECONDS, () -> assertThrows(DatabaseUnavailable.class, this::touched));
        } finally {
            mysql.thaw();
        }
        Eventually.holds("it goes on", () -> 1 == database.transaction(tx -> touch(tx, "bob")));
    }

    @Test
    void a_server_that_was_killed_is_found_again_with_all_that_was_committed() {
        database.transaction(tx -> touch(tx, "ann"));
        mysql.kill();
        assertThrows(DatabaseUnavailable.class, this::touched);
        mysql.restart();
        assertEquals(List.of(1L, 0L), touched());
    }

    @Test
    void who_led_before_is_cut_off_with_the_rows_that_it_holds() {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch over = new CountDownLatch(1);
        try (Database other = Database.open(settings, "other")) {
            var cut = async(() -> other.transaction(tx -> {
                touch(tx, "ann");
                held.countDown();
                await(over);
                return touch(tx, "bob");
            }));
            await(held);
            try (Lane lane = Lane.to(database)) {
                lane.cutOff("other");
            }
            database.transaction(tx -> touch(tx, "ann"));
            over.countDown();
            assertTrue(cut.handle((done, failure) -> failure.getCause()).join() instanceof DatabaseUnavailable);
        }
        assertEquals(List.of(1L, 0L), touched());
    }

    @Test
    void the_server_is_told_to_let_go_of_a_client_that_is_silent_for_a_minute() {
        assertEquals(List.of(60L), database.query("SELECT @@SESSION.wait_timeout AS seconds", Map.of(), row -> row.whole("seconds")));
    }

    @Test
    void text_is_kept_as_it_is_whatever_the_servers_own_character_set() {
        assertEquals("latin1", mysql.administrator().ask("SELECT @@GLOBAL.character_set_server"));
        String code = "print('🦊 Füchse, \uD834\uDD1E und \u0000')";
        database.update("INSERT INTO job_code (job_id, code) VALUES ('1', :code)", Map.of("code", code));
        assertEquals(List.of(code), database.query("SELECT code FROM job_code", Map.of(), row -> row.text("code")));
        assertEquals("F09FA68A", mysql.administrator().ask("SELECT HEX(SUBSTRING(code, 8, 1)) FROM " + settings.username() + ".job_code"));
    }

    private static long touch(Statements tx, String id) {
        return tx.update("UPDATE users SET created_at = created_at + 1 WHERE user_id = :id", Map.of("id", id));
    }

    private List<Long> touched() {
        return database.query("SELECT created_at FROM users ORDER BY user_id", Map.of(), row -> row.whole("created_at"));
    }

    private List<Long> connection() {
        return database.query("SELECT connection_id() AS id", Map.of(), row -> row.whole("id"));
    }

    private static <T> CompletableFuture<T> async(Supplier<T> work) {
        return CompletableFuture.supplyAsync(work, Thread::startVirtualThread);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(SOME_SECONDS.toSeconds(), TimeUnit.SECONDS), "nobody came");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
