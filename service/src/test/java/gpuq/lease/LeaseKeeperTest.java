package gpuq.lease;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.Eventually;
import gpuq.db.Database;
import gpuq.db.DatabaseException;
import gpuq.db.DatabaseSettings;
import gpuq.db.Fence;
import gpuq.db.NotLeading;
import gpuq.db.TestDatabase;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LeaseKeeperTest {
    private static final Duration TIME = Duration.ofSeconds(1);

    @TempDir
    private Path folder;

    private DatabaseSettings settings;
    private Database database;

    @BeforeEach
    void open() {
        settings = TestDatabase.in(folder);
        database = Database.open(settings, "one");
        database.update("CREATE TABLE IF NOT EXISTS notes (note VARCHAR(20) NOT NULL PRIMARY KEY)", Map.of());
    }

    @AfterEach
    void close() {
        database.close();
    }

    /** What a server would do, noted. */
    private static final class Server implements LeaseKeeper.Leader {
        final List<String> story = new CopyOnWriteArrayList<>();
        volatile Fence fence = tx -> { };

        @Override
        public boolean lead(long epoch, Fence of, boolean restored) {
            fence = of;
            story.add((restored ? "lead, restored, " : "lead ") + epoch);
            return true;
        }

        @Override
        public void stepDown() {}

        @Override
        public void follow() {
            story.add("follow");
        }
    }

    private LeaseKeeper keeper(Database through, String id, Server server) {
        return new LeaseKeeper(through, id, id + ":8001", TIME, server);
    }

    @Test
    void what_is_written_after_the_lease_is_over_is_rolled_back() {
        Server server = new Server();
        try (LeaseKeeper keeper = keeper(database, "one", server)) {
            keeper.start();
            Database fenced = database.fencedBy(server.fence);
            note(fenced, "in time");
            database.update("UPDATE lease SET epoch = epoch + 1, holder = 'two', beat = beat + 1", Map.of());
            assertThrows(NotLeading.class, () -> note(fenced, "too late"));
            assertEquals(List.of("in time"), notes());
        }
    }

    @Test
    void each_start_has_a_later_epoch_and_a_node_that_obeys_a_still_later_one_gives_another() {
        Server server = new Server();
        try (LeaseKeeper keeper = keeper(database, "one", server)) {
            keeper.start();
        }
        try (LeaseKeeper keeper = keeper(database, "one", server)) {
            keeper.start();
            keeper.outbid(1_000_000_000_000L); // nobody can have led so often
            keeper.outbid(7);
            Eventually.holds("it leads anew", () -> server.story.contains("lead, restored, 8"));
            assertTrue(keeper.holds(8));
        }
        assertEquals(List.of("lead 1", "follow", "lead 2", "follow", "lead, restored, 8", "follow"), server.story);
        try (LeaseKeeper keeper = keeper(database, "one", server)) {
            keeper.start();
            assertEquals("lead 9", server.story.getLast(), "the database was reconciled");
        }
    }

    @Test
    void a_data_directory_has_one_server_and_keeps_its_id() {
        String id;
        try (ServerId first = ServerId.in(folder)) {
            id = first.text();
            assertThrows(UncheckedIOException.class, () -> ServerId.in(folder));
        }
        try (ServerId again = ServerId.in(folder)) {
            assertEquals(id, again.text());
        }
    }

    @Test
    @Tag("mysql")
    void the_successor_ends_what_the_leader_that_sleeps_was_writing() throws Exception {
        new LeaseStore(database).take(Optional.empty(), new Lease(1, "one", "one:8001", 1, false));
        CountDownLatch written = new CountDownLatch(1);
        CountDownLatch awake = new CountDownLatch(1);
        List<Throwable> thrown = new CopyOnWriteArrayList<>();
        Thread writer = Thread.startVirtualThread(() -> {
            try {
                database.fencedBy(tx -> {
                    LeaseStore.fence(1, "one").check(tx); // the lease is good, and then it falls asleep, before the commit
                    written.countDown();
                    awaited(awake);
                }).update("INSERT INTO notes (note) VALUES ('same')", Map.of());
            } catch (DatabaseException cutOff) {
                thrown.add(cutOff);
            }
        });
        awaited(written);
        Server successor = new Server();
        try (Database other = Database.open(settings, "two"); LeaseKeeper keeper = keeper(other, "two", successor)) {
            keeper.start();
            assertEquals("lead 2", successor.story.getLast());
            note(other.fencedBy(successor.fence), "same"); // nobody holds the row
            awake.countDown();
            writer.join();
            assertEquals(1, thrown.size());
            assertEquals(List.of("same"), notes());
        }
    }

    @Test
    @Tag("mysql")
    void of_two_one_leads_and_the_other_follows_it_when_it_ends_or_is_silent() {
        Server first = new Server();
        Server second = new Server();
        LeaseKeeper one = keeper(database, "one", first);
        LeaseKeeper two = keeper(database, "two", second);
        one.start();
        two.start();
        assertEquals(List.of("lead 1"), first.story);
        assertEquals(List.of(), second.story);
        assertEquals("one:8001", two.leader().orElseThrow());
        one.close();
        Eventually.holds("the other leads", Duration.ofSeconds(2), () -> second.story.equals(List.of("lead 2")));
        two.close();
    }

    @Test
    @Tag("mysql")
    void whoever_leads_when_the_database_has_gone_back_past_a_change_of_lease_has_a_later_epoch_and_asks_the_nodes() {
        for (String holder : List.of("one", "two", "nobody")) {
            Server first = new Server();
            Server second = new Server();
            try (Database other = Database.open(settings, "two"); Database backup = Database.open(settings, "backup");
                    LeaseKeeper one = keeper(database, "one", first); LeaseKeeper two = keeper(other, "two", second)) {
                backup.update("DELETE FROM lease", Map.of());
                one.start();
                one.outbid(90);
                Eventually.holds("one leads", () -> first.story.contains("lead, restored, 91"));
                two.start();
                backup.update("UPDATE lease SET epoch = 5, restored = 0, beat = 3, holder = :holder", Map.of("holder", holder));
                Eventually.holds("one of them leads", () -> first.story.contains("lead, restored, 92") || second.story.contains("lead, restored, 92"));
            }
        }
    }

    private static void awaited(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void note(Database through, String text) {
        through.update("INSERT INTO notes (note) VALUES (:text)", Map.of("text", text));
    }

    private List<String> notes() {
        return database.query("SELECT note FROM notes ORDER BY note", Map.of(), row -> row.text("note"));
    }
}
