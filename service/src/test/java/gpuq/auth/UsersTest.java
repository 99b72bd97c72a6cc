package gpuq.auth;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.db.Database;
import gpuq.db.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UsersTest {
    @TempDir Path folder;
    Database database;
    Users users;

    @BeforeEach
    void open() {
        database = Database.open(TestDatabase.in(folder));
        users = new Users(database, Clock.systemUTC());
    }

    @AfterEach
    void close() {
        database.close();
    }

    @Test
    void a_token_proves_who_somebody_is_until_it_is_revoked() {
        String token = users.add("ann", false, "a test");
        assertEquals(Optional.of(new User("ann", false)), users.authenticate(token));
        assertTrue(users.revoke("ann", "a test"));
        assertEquals(Optional.empty(), users.authenticate(token));
        assertFalse(users.revoke("ann", "a test"));
        assertFalse(users.revoke("nobody", "a test"));
        assertEquals(List.of(new User("ann", false)), users.list());
    }

    @Test
    void nothing_but_the_very_token_is_taken() {
        String token = users.add("ann", false, "a test");
        for (String other : List.of("", "ann", token + " ", token.toLowerCase(), token.substring(1), "' OR '1'='1", "x".repeat(100_000), "\u0000")) {
            assertEquals(Optional.empty(), users.authenticate(other));
        }
    }

    @Test
    void a_token_holds_256_random_bits_and_is_kept_nowhere() throws Exception {
        String token = users.add("ann", false, "a test");
        assertTrue(token.matches("[A-Za-z0-9_-]{43}"), "43 characters of base64url");
        assertNotEquals(token, users.add("bob", false, "a test"));
        String rows = String.join("\n", database.query("SELECT CONCAT(sha256, ' ', user_id) AS row_text FROM tokens", Map.of(), row -> row.text("row_text")));
        assertFalse(rows.contains(token));
        assertTrue(rows.contains("ann"), "the rows can be searched");
        if (TestDatabase.embedded()) {
            database.close();
            String file = Files.readString(folder.resolve("gpuq.mv.db"), StandardCharsets.ISO_8859_1);
            assertFalse(file.contains(token));
            assertTrue(file.contains("ann"), "the file can be searched");
        }
    }

    @Test
    void a_further_token_leaves_the_first_valid_and_may_make_an_administrator_but_not_unmake_one() {
        String first = users.add("ann", false, "a test");
        String second = users.add("ann", true, "a test");
        String third = users.add("ann", false, "a test");
        for (String token : List.of(first, second, third)) {
            assertEquals(Optional.of(new User("ann", true)), users.authenticate(token));
        }
        assertTrue(users.revoke("ann", "a test"));
        assertEquals(Optional.of(new User("ann", true)), users.authenticate(users.add("ann", false, "a test")));
        assertEquals(Optional.empty(), users.authenticate(first));
    }

    @Test
    void users_differ_by_the_case_of_their_letters() {
        String token = users.add("Ann", true, "a test");
        users.add("ann", false, "a test");
        assertEquals(Optional.of(new User("Ann", true)), users.authenticate(token));
        assertEquals(List.of(new User("Ann", true), new User("ann", false)), users.list());
    }

    @Test
    void one_user_can_be_added_by_many_at_once() {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var tokens = IntStream.range(0, 20).mapToObj(i -> threads.submit(() -> users.add("ann", false, "a test"))).toList();
            tokens.forEach(token -> assertEquals("ann", users.authenticate(assertDoesNotThrow(() -> token.get())).orElseThrow().id()));
        }
    }

    @Test
    void the_demonstration_user_exists_only_where_it_was_asked_for() {
        assertFalse(users.hasDemonstrationUser());
        users.addDemonstrationUser();
        users.addDemonstrationUser();
        assertTrue(users.hasDemonstrationUser());
        assertEquals(Optional.of(new User("sarang", false)), users.authenticate("sarang"));
        users.revoke("sarang", "a test");
        assertFalse(users.hasDemonstrationUser());
        users.addDemonstrationUser();
        assertTrue(users.hasDemonstrationUser());
    }

    @Test
    void a_user_called_sarang_with_a_token_of_its_own_is_not_the_demonstration_user() {
        users.add("sarang", false, "a test");
        assertFalse(users.hasDemonstrationUser());
    }

    @Test
    void what_is_not_an_id_and_the_operators_own_name_are_refused() {
        for (String id : List.of("", ".", "-a", "a b", "a/b", "../x", "ä", "a\n", "a".repeat(65), "operator")) {
            assertThrows(IllegalArgumentException.class, () -> users.add(id, false, "a test"), id);
        }
        users.add("a".repeat(64), false, "a test");
    }
}
