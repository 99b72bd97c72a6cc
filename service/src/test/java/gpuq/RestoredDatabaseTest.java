package gpuq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import gpuq.api.ApiClient;
import gpuq.api.ApiClient.Answer;
import gpuq.db.Database;
import gpuq.db.DatabaseSettings;
import gpuq.lease.LeaseStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The database is put back to what it was some time ago, while the nodes have gone on. */
@Tag("embedded")
@Timeout(120)
class RestoredDatabaseTest {
    @TempDir
    private Path directory;

    private RunningServer server;
    private ApiClient api;

    @BeforeEach
    void start() {
        server = RunningServer.start(directory);
        api = new ApiClient(server.uri());
    }

    @AfterEach
    void stop() {
        Eventually.holds("nothing runs any more", Duration.ofSeconds(40), () -> api.get("/api/nodes").body().path("nodes")
                .findValues("queue_length").stream().allMatch(length -> length.asInt() == 0));
        server.close();
    }

    /** A copy is made of a database that is closed, as a backup's would be. */
    private void backUp() throws IOException {
        server.close();
        copy("database", "backup");
        start();
    }

    private void restore() throws IOException {
        server.close();
        copy("backup", "database");
    }

    private void copy(String from, String to) throws IOException {
        Files.createDirectories(directory.resolve(to));
        try (var files = Files.list(directory.resolve(from))) {
            for (Path file : files.toList()) {
                Files.copy(file, directory.resolve(to).resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Every start has a lease of its own: after one more, the nodes have obeyed a later one than the database knows. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void what_ran_on_meanwhile_is_taken_over_and_what_came_meanwhile_is_adopted(boolean outbid) throws IOException {
        String before = submit("before", until("go"));
        Eventually.holds("it runs", () -> status(before).equals("running"));
        backUp();
        if (outbid) {
            server.close();
            start();
        }
        String ended = submit("ended", "");
        assertEquals("completed", ended(ended).path("status").asText());
        String runs = submit("runs", until("go"));
        String waits = submit("waits", "");
        Eventually.holds("it waits", () -> api.get("/api/status/" + waits).text("reason").equals("queued"));

        restore();
        start();

        Eventually.holds("they are adopted", () -> api.get("/api/status/" + runs).status() == 200 && api.get("/api/status/" + waits).status() == 200);
        Files.createFile(directory.resolve("go"));
        for (String job : List.of(before, runs, waits)) {
            assertEquals("completed", ended(job).path("status").asText());
            assertTrue(api.get("/api/results/" + job).text("stdout").contains("test_fitness"));
        }
        List.of("before", "ended", "runs", "waits").forEach(this::ranOnce);
        assertEquals("sarang", api.get("/api/jobs?status=completed").body().path("jobs").get(0).path("user_id").asText());
    }

    @Test
    void a_job_that_was_moved_and_ended_meanwhile_does_not_run_again() throws IOException {
        String first = submit("first", until("go"));
        String second = submit("second", until("go"));
        String moves = submit("moves", "");
        Eventually.holds("it waits", () -> api.get("/api/status/" + moves).text("reason").equals("queued"));
        int on = api.get("/api/status/" + moves).body().path("node_id").asInt();
        backUp();
        server.site().gpuq(on, "withdraw", moves); // it comes back as attempt 2
        Files.createFile(directory.resolve("go"));
        for (String job : List.of(first, second, moves)) {
            assertEquals("completed", ended(job).path("status").asText());
        }
        assertTrue(api.get("/api/status/" + moves).body().path("attempts").size() >= 1);

        restore();
        sayThatItCameFromABackup();
        start();

        for (String job : List.of(first, second, moves)) {
            assertEquals("completed", ended(job).path("status").asText());
            assertTrue(api.get("/api/results/" + job).text("stdout").contains("test_fitness"));
        }
        List.of("first", "second", "moves").forEach(this::ranOnce);
    }

    @Test
    void until_every_node_has_answered_nothing_is_accepted() throws IOException {
        backUp();
        restore();
        sayThatItCameFromABackup();
        Path gone = directory.resolve("gone");
        Files.move(server.site().spool(1), gone);
        Files.createFile(server.site().spool(1)); // no spool can be made there
        start();

        Answer refused = api.submit("?wait=false", "pass", ApiClient.config());
        assertEquals(503, refused.status(), refused::toString);
        assertTrue(refused.text("detail").contains("backup"), refused::toString);
        assertEquals(200, api.get("/api/jobs").status());

        Files.delete(server.site().spool(1));
        Files.move(gone, server.site().spool(1));
        Eventually.holds("it accepts", () -> api.submit("?wait=false", "pass", ApiClient.config()).status() == 200);
    }

    private void sayThatItCameFromABackup() {
        try (Database database = Database.open(DatabaseSettings.embedded(directory.resolve("database/gpuq")))) {
            assertTrue(new LeaseStore(database).restored());
        }
    }

    private String until(String file) {
        return "import os, time\nwhile not os.path.exists('%s'): time.sleep(0.05)\n".formatted(directory.resolve(file));
    }

    private String submit(String name, String code) {
        String solution = code + "open('%s', 'a').write('ran\\n')\n".formatted(directory.resolve(name))
                + "import shutil; shutil.copy('data/sampleSubmission.csv', 'submission.csv')\n";
        return api.submit("?wait=false", solution, ApiClient.config()).text("job_id");
    }

    private String status(String job) {
        return api.get("/api/status/" + job).text("status");
    }

    private JsonNode ended(String job) {
        Eventually.holds("job " + job + " ends", Duration.ofSeconds(40), () -> !api.get("/api/status/" + job).body().path("completed_at").isNull());
        return api.get("/api/status/" + job).body();
    }

    private void ranOnce(String name) {
        try {
            assertEquals(List.of("ran"), Files.readAllLines(directory.resolve(name)), name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
