package gpuq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import gpuq.api.ApiClient;
import gpuq.api.ApiClient.Answer;
import gpuq.db.CommitRelay;
import gpuq.db.DatabaseSettings;
import gpuq.db.MysqlServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real server with two real nodes, while its MySQL is away, frozen, read-only or silent: what was promised is kept, and nothing runs twice. */
@Tag("mysql")
@Timeout(150)
class MysqlOutageTest {
    private static final Duration SOME_TIME = Duration.ofSeconds(60);

    /** Says that it runs, waits for its cue, and then is good. */
    private static final String ON_CUE = """
            import os, shutil, time
            with open(%1$s, "a") as runs:
                runs.write("ran 🦊\\n")
            while not os.path.exists(%1$s + ".cue"):
                time.sleep(0.02)
            shutil.copy("data/sampleSubmission.csv", "submission.csv")
            """;

    private static MysqlServer mysql;
    private static int databases;

    @TempDir
    private Path directory;

    private CommitRelay relay;
    private RunningServer server;
    private ApiClient api;

    @BeforeAll
    static void startMysql() {
        mysql = MysqlServer.start();
    }

    @AfterAll
    static void stopMysql() {
        mysql.close();
    }

    @BeforeEach
    void start() {
        relay = new CommitRelay(mysql.port());
        DatabaseSettings database = relay.through(mysql.administrator().database("outage" + databases++));
        server = RunningServer.start(directory, Map.of(
                "GPUQ_SERVER_DATABASE_URL", database.url(),
                "GPUQ_SERVER_DATABASE_USERNAME", database.username(),
                "GPUQ_SERVER_DATABASE_PASSWORD", database.password()));
        api = new ApiClient(server.uri());
    }

    @AfterEach
    void stop() {
        server.close();
        relay.close();
    }

    @Test
    void jobs_run_on_while_the_database_is_away_and_who_waits_is_answered_when_it_is_back() {
        var waiting = CompletableFuture.supplyAsync(() -> submit("?wait=true", "waited"), Thread::startVirtualThread);
        Eventually.holds("it runs", SOME_TIME, () -> !runs("waited").isEmpty());
        String other = submit("?wait=false", "other").text("job_id");
        Eventually.holds("the other one too", SOME_TIME, () -> !runs("other").isEmpty());

        mysql.kill();
        assertAway(submit("?wait=false", "refused"));
        assertAway(api.get("/api/status/" + other));
        cue("other");
        Eventually.holds("it ends on its node", SOME_TIME, () -> IntStream.range(0, 2).noneMatch(node -> server.site().gpuq(node, "queue", "--json").contains(other)));
        mysql.restart();
        cue("waited");

        Answer answer = waiting.join();
        assertEquals("completed", answer.text("status"), answer::toString);
        assertRanAndEndedOnce("waited", answer.text("job_id"));
        assertRanAndEndedOnce("other", other);
        cue("refused");
        assertRanAndEndedOnce("refused", accepted("refused"));
    }

    @Test
    void who_waits_is_told_of_the_job_though_the_database_goes_right_after_its_commit() {
        relay.leaveAfter("INSERT INTO job_code");
        var waiting = CompletableFuture.supplyAsync(() -> submit("?wait=true", "waited"), Thread::startVirtualThread);
        Eventually.holds("it is committed, and the database away", SOME_TIME, relay::left);
        assertAway(api.get("/api/jobs"));
        relay.comeBack();
        cue("waited");
        Answer answer = waiting.join();
        assertEquals("completed", answer.text("status"), answer::toString);
        assertRanAndEndedOnce("waited", answer.text("job_id"));
    }

    @Test
    void a_cancel_that_is_kept_is_not_called_undone_when_the_database_goes_right_after() {
        String job = accepted("cancelled");
        Eventually.holds("it runs", SOME_TIME, () -> api.get("/api/status/" + job).text("status").equals("running"));
        relay.leaveAfter("UPDATE jobs");
        Answer answer = api.post("/api/cancel/" + job, "Authorization", "Bearer sarang");
        assertTrue(relay.left());
        assertEquals(202, answer.status(), answer::toString);
        relay.comeBack();
        Eventually.holds("it is cancelled", SOME_TIME, () -> api.get("/api/status/" + job).text("status").equals("cancelled"));
    }

    @Test
    void a_submit_to_a_frozen_database_is_told_to_come_again_and_is_there_once_afterwards() {
        cue("job");
        mysql.freeze();
        try {
            assertAway(submit("?wait=false", "job"));
        } finally {
            mysql.thaw();
        }
        assertRanAndEndedOnce("job", accepted("job"));
        assertEquals(1, api.get("/api/jobs").body().path("jobs").size());
    }

    @Test
    void a_database_that_became_read_only_accepts_nothing_and_loses_nothing() {
        String running = submit("?wait=false", "running").text("job_id");
        Eventually.holds("it runs", SOME_TIME, () -> !runs("running").isEmpty());
        mysql.administrator().execute("SET GLOBAL super_read_only = ON");
        try {
            assertAway(submit("?wait=false", "refused"));
            assertEquals(200, api.get("/api/status/" + running).status());
            cue("running");
        } finally {
            mysql.administrator().execute("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF");
        }
        assertRanAndEndedOnce("running", running);
        cue("refused");
        assertRanAndEndedOnce("refused", accepted("refused"));
    }

    @Test
    void jobs_run_once_and_end_once_though_the_answers_to_many_commits_are_lost() {
        long seed = Optional.ofNullable(System.getProperty("seed")).map(Long::valueOf).orElseGet(() -> ThreadLocalRandom.current().nextLong());
        System.out.println("seed " + seed + " (-Dseed=" + seed + " repeats it)");
        Random random = new Random(seed);
        List<String> names = IntStream.range(0, 6).mapToObj(i -> "job-" + i).toList();
        Map<String, String> ids = new ConcurrentHashMap<>();
        names.forEach(this::cue);
        relay.lose(commit -> random.nextInt(4) == 0);
        names.forEach(name -> ids.put(name, accepted(name)));
        var waiting = CompletableFuture.supplyAsync(() -> answered("?wait=true", "job-5"), Thread::startVirtualThread);
        Eventually.holds("all have run", SOME_TIME, () -> names.stream().noneMatch(name -> runs(name).isEmpty()));
        relay.loseNone();
        assertTrue(relay.lost() > names.size(), () -> "only %d answers were lost".formatted(relay.lost()));

        names.forEach(name -> assertRanAndEndedOnce(name, ids.get(name)));
        assertEquals("completed", waiting.join().text("status"));
        assertEquals(names.size(), api.get("/api/jobs").body().path("jobs").size());
        Eventually.holds("the nodes are known to be empty", Duration.ofSeconds(100), () -> {
            JsonNode nodes = api.get("/api/nodes").body().path("nodes");
            return IntStream.range(0, 2).allMatch(node -> nodes.path(node).path("queue_length").asInt(-1) == 0);
        });
    }

    private Answer submit(String query, String name) {
        return api.submit(query, ON_CUE.formatted("'" + directory.resolve(name) + "'"), ApiClient.config(), "Idempotency-Key", name);
    }

    /** As a careful client does: asks again under the same key until there is an answer. @return the job's id */
    private String accepted(String name) {
        return answered("?wait=false", name).text("job_id");
    }

    private Answer answered(String query, String name) {
        Answer[] answer = new Answer[1];
        Eventually.holds(name + " is answered", SOME_TIME, () -> {
            answer[0] = submit(query, name);
            return answer[0].status() == 200;
        });
        return answer[0];
    }

    private static void assertAway(Answer answer) {
        assertEquals(503, answer.status(), answer::toString);
        assertTrue(answer.raw().headers().firstValueAsLong("Retry-After").orElse(0) > 0, answer::toString);
    }

    private void assertRanAndEndedOnce(String name, String id) {
        JsonNode[] job = new JsonNode[1];
        Eventually.holds(name + " ends", SOME_TIME, () -> {
            Answer answer = api.get("/api/status/" + id);
            job[0] = answer.body();
            return answer.status() == 200 && !answer.text("status").matches("pending|running");
        });
        assertEquals("completed", job[0].path("status").asText(), job[0]::toString);
        assertEquals(List.of("ran 🦊"), runs(name), "how often " + name + " ran");
        String results = api.get("/api/results/" + id).body().path("stdout").asText();
        assertTrue(results.contains("\"test_fitness\": 0.5"), results);
    }

    private List<String> runs(String name) {
        Path file = directory.resolve(name);
        try {
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void cue(String name) {
        try {
            Files.createFile(directory.resolve(name + ".cue"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
