package gpuq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.api.ApiClient;
import gpuq.db.Database;
import gpuq.db.DatabaseSettings;
import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.lease.LeaseStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The server dies while it brings a database that came from a backup up to what the nodes have done. */
@Tag("embedded")
class ReconciliationCrashTest {
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    @TempDir
    private Path directory;

    private final int port = ServerCrashTest.freePort();
    private Site site;
    private UUID moved;
    private UUID came;

    @Test
    void nothing_is_lost_and_nothing_runs_twice_whichever_write_of_the_reconciliation_the_server_dies_at() throws Exception {
        List<String> jobs = goOnAfterABackup();
        Set<String> onNodes = onNodes();
        boolean died = true;
        int writes = 0;
        while (died) {
            writes++;
            restore(writes);
            died = diedAtWrite(writes, this::awaitWhole);
            boolean mark = marked();
            assertTrue(mark || isWhole(), "the mark was taken back before all was taken over, at write " + writes);
            assertTrue(died || !mark, "a server that was through has left the mark");
            try (RunningServer server = RunningServer.start(directory)) {
                awaitWhole(new ApiClient(server.uri()));
            }
            assertTrue(!marked() && isWhole(), "the next server has not completed it, after write " + writes);
            assertEquals(onNodes, onNodes(), "attempts on the nodes, after write " + writes);
        }
        assertTrue(writes > 4, "after %d writes the reconciliation was through: its commits are not where they were".formatted(writes));

        Files.createFile(directory.resolve("go"));
        try (RunningServer server = RunningServer.start(directory)) {
            ApiClient api = new ApiClient(server.uri());
            for (String job : jobs) {
                Eventually.holds("job " + job + " ends", PATIENCE, () -> api.get("/api/status/" + job).text("status").equals("completed"));
            }
        }
        for (String name : List.of("first", "second", "moved", "came")) {
            assertEquals(List.of("ran"), Files.readAllLines(directory.resolve(name)), "how often " + name + " ran");
        }
    }

    @Test
    void a_job_that_was_purged_meanwhile_ends_once_as_it_had_whichever_write_of_that_the_server_dies_at() throws Exception {
        String job = endAndPurgeAfterABackup();
        Consumer<ApiClient> awaitEnd = api -> Eventually.holds("it ends", PATIENCE, () -> !api.get("/api/status/" + job).text("status").matches("pending|running"));
        boolean died = true;
        int unended = 0;
        for (int write = 1; died; write++) {
            restore(write);
            died = diedAtWrite(write, awaitEnd);
            if (died && !marked() && !ask(database -> new JobStore(database).present(UUID.fromString(job)).ended())) {
                unended++;
            }
            try (RunningServer server = RunningServer.start(directory)) {
                ApiClient api = new ApiClient(server.uri());
                awaitEnd.accept(api);
                assertEquals("completed", api.get("/api/status/" + job).text("status"), "after write " + write);
                assertTrue(api.get("/api/results/" + job).text("stdout").contains("\"test_fitness\": 0.5"), "after write " + write);
            }
            assertEquals(List.of("ran"), Files.readAllLines(directory.resolve("purged")), "how often it ran, after write " + write);
        }
        assertTrue(unended > 0, "it was never killed between the reconciliation and the end");
    }

    private String endAndPurgeAfterABackup() throws IOException {
        String job;
        try (RunningServer server = RunningServer.start(directory)) {
            site = server.site();
            ApiClient api = new ApiClient(server.uri());
            job = submit(api, "purged");
            Eventually.holds("it runs", () -> api.get("/api/status/" + job).text("status").equals("running"));
        }
        copy("database", "backup");
        Files.createFile(directory.resolve("go"));
        try (RunningServer server = RunningServer.start(directory)) {
            ApiClient api = new ApiClient(server.uri());
            Eventually.holds("it ends", PATIENCE, () -> api.get("/api/status/" + job).text("status").equals("completed"));
            int node = api.get("/api/status/" + job).body().path("node_id").asInt();
            Eventually.holds("it is purged", () -> site.gpuq(node, "purge", "--older-than", "0s", "--keep", "0").equals("purged 1 job"));
        }
        return job;
    }

    /** Two jobs run and a third one waits when the backup is made; then that one comes to its second attempt, and a fourth one comes. */
    private List<String> goOnAfterABackup() throws IOException {
        String first;
        String second;
        String moves;
        try (RunningServer server = RunningServer.start(directory)) {
            site = server.site();
            ApiClient api = new ApiClient(server.uri());
            first = submit(api, "first");
            second = submit(api, "second");
            Eventually.holds("two run", () -> Stream.of(first, second).allMatch(job -> api.get("/api/status/" + job).text("status").equals("running")));
            moves = submit(api, "moved");
            Eventually.holds("it waits", () -> api.get("/api/status/" + moves).text("reason").equals("queued"));
        }
        copy("database", "backup");
        try (RunningServer server = RunningServer.start(directory)) {
            ApiClient api = new ApiClient(server.uri());
            site.gpuq(api.get("/api/status/" + moves).body().path("node_id").asInt(), "withdraw", moves);
            Eventually.holds("it waits again", () -> api.get("/api/status/" + moves).body().path("attempts").size() == 1
                    && api.get("/api/status/" + moves).text("reason").equals("queued"));
            String comes = submit(api, "came");
            Eventually.holds("it waits", () -> api.get("/api/status/" + comes).text("reason").equals("queued"));
            moved = UUID.fromString(moves);
            came = UUID.fromString(comes);
        }
        return List.of(first, second, moved.toString(), came.toString());
    }

    private String submit(ApiClient api, String name) {
        String solution = "import os, shutil, time\nwhile not os.path.exists('%s'): time.sleep(0.05)\n".formatted(directory.resolve("go"))
                + "open('%s', 'a').write('ran\\n')\nshutil.copy('data/sampleSubmission.csv', 'submission.csv')\n".formatted(directory.resolve(name));
        return api.submit("?wait=false", solution, ApiClient.config()).text("job_id");
    }

    /** What every attempt on a node is called, released or not. */
    private Set<String> onNodes() throws IOException {
        Set<String> names = new TreeSet<>();
        for (int node = 0; node < 2; node++) {
            for (String place : List.of("jobs", "released", "purged")) {
                try (Stream<Path> attempts = Files.list(site.spool(node).resolve(place))) {
                    String at = node + " ";
                    attempts.forEach(attempt -> names.add(at + attempt.getFileName()));
                }
            }
        }
        return names;
    }

    /** With an epoch that is later than what the nodes have obeyed: only the mark says that it came from a backup. */
    private void restore(int times) throws IOException {
        copy("backup", "database");
        ask(database -> {
            assertTrue(new LeaseStore(database).restored());
            return database.update("UPDATE lease SET epoch = :epoch", Map.of("epoch", 1000 * times));
        });
    }

    /** One node is away until strace follows the server, so that no write of the reconciliation comes before. */
    private boolean diedAtWrite(int write, Consumer<ApiClient> awaitAll) throws Exception {
        Site.in(directory, 2, port);
        Path away = directory.resolve("away");
        Files.move(site.spool(1), away);
        Files.createFile(site.spool(1)); // no spool can be made there
        try (ServerProcess server = ServerProcess.start(site, port, ServerProcess.ONE_WRITER)) {
            Eventually.holds("it waits for a node", () -> server.api().submit("?wait=false", "pass", ApiClient.config()).text("detail").contains("backup"));
            Process strace = server.dieAtWrite(write);
            Files.delete(site.spool(1));
            Files.move(away, site.spool(1));
            try {
                awaitAll.accept(server.api());
            } catch (UncheckedIOException dead) {
                server.awaitEnd();
            }
            server.close(); // it may die over that, too
            strace.waitFor();
            return server.killed();
        }
    }

    private void awaitWhole(ApiClient api) {
        Eventually.holds("all is taken over and both nodes get work", PATIENCE, () -> api.get("/api/status/" + came).text("reason").equals("queued")
                && api.get("/api/status/" + moved).text("reason").equals("queued")
                && api.get("/api/nodes").body().path("nodes").findValuesAsText("status").equals(List.of("active", "active")));
    }

    private boolean marked() {
        return ask(database -> database.find("SELECT restored FROM lease", Map.of(), row -> row.flag("restored")).orElseThrow());
    }

    private boolean isWhole() {
        return ask(database -> {
            JobStore store = new JobStore(database);
            return store.find(came).isPresent() && store.find(moved).map(Job::attempt).equals(Optional.of(2));
        });
    }

    private <T> T ask(Function<Database, T> question) {
        try (Database database = Database.open(DatabaseSettings.embedded(directory.resolve("database/gpuq")))) {
            return question.apply(database);
        }
    }

    private void copy(String from, String to) throws IOException {
        Files.createDirectories(directory.resolve(to));
        try (Stream<Path> files = Files.list(directory.resolve(from))) {
            for (Path file : files.toList()) {
                Files.copy(file, directory.resolve(to).resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }
}
