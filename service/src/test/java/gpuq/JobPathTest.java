package gpuq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import gpuq.api.ApiClient;
import gpuq.api.ApiClient.Answer;
import gpuq.config.ServerConfig;
import gpuq.db.Database;
import gpuq.sync.NodeMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A job's way when things are not as they were when it was placed: the real server with two real nodes. */
@Timeout(120)
class JobPathTest {
    private static final String GOOD = """
            import shutil
            shutil.copy("data/sampleSubmission.csv", "submission.csv")
            """;
    private static final String GOOD_AT_ITS_SECOND_RUN = """
            import os, time
            if not os.path.exists('%1$s'):
                open('%1$s', 'w').close()
                time.sleep(600)
            """ + GOOD;
    private static final String FOREVER = "import time; time.sleep(600)";

    @TempDir
    private Path directory;

    private RunningServer server;
    private Site site;
    private ApiClient api;

    @BeforeEach
    void start() {
        server = RunningServer.start(directory);
        site = server.site();
        api = new ApiClient(server.uri());
    }

    @AfterEach
    void stop() {
        api.get("/api/jobs?status=running").body().path("jobs").forEach(job -> cancel(job.path("job_id").asText()));
        api.get("/api/jobs?status=pending").body().path("jobs").forEach(job -> cancel(job.path("job_id").asText()));
        server.close();
    }

    @Test
    void a_node_that_was_just_drained_refuses_and_the_job_goes_to_the_other() {
        site.gpuq(0, "drain", "--reason", "repair");

        String job = submit(GOOD); // placed on node 0, whose drain the server has not noticed yet

        assertEquals("completed", ended(job).path("status").asText());
        assertEquals(1, ended(job).path("node_id").asInt());
        Eventually.holds("the server shows the drain and its reason", () -> {
            JsonNode node = node(0);
            return node.path("status").asText().equals("drained") && node.path("reason").asText().contains("repair");
        });
    }

    @Test
    void with_every_node_drained_an_accepted_job_waits_and_a_new_one_is_refused() {
        site.gpuq(0, "drain", "--reason", "repair");
        site.gpuq(1, "drain", "--reason", "repair");

        String job = submit(GOOD); // accepted: the server still believed in the nodes
        Eventually.holds("both have refused it", () -> node(0).path("status").asText().equals("drained") && node(1).path("status").asText().equals("drained"));
        Eventually.holds("it is placed nowhere", () -> api.get("/api/status/" + job).text("reason").equals("no_active_node"));
        assertEquals("pending", api.get("/api/status/" + job).text("status"));

        Answer refused = api.submit("?wait=false", GOOD, ApiClient.config());
        assertEquals(503, refused.status());
        assertTrue(refused.raw().headers().firstValue("Retry-After").isPresent());
        assertTrue(refused.text("detail").contains("repair"), refused::toString);

        site.gpuq(1, "resume");
        assertEquals("completed", ended(job).path("status").asText());
        assertEquals(1, ended(job).path("node_id").asInt());
    }

    @Test
    void a_job_that_an_operator_withdraws_is_placed_again() {
        List<String> running = List.of(submit(FOREVER), submit(FOREVER));
        Eventually.holds("both nodes are busy", () -> running.stream().allMatch(job -> api.get("/api/status/" + job).text("status").equals("running")));
        String third = submit(GOOD);
        Eventually.holds("it waits on its node", () -> api.get("/api/status/" + third).text("reason").equals("queued"));
        int on = api.get("/api/status/" + third).body().path("node_id").asInt();

        site.gpuq(on, "withdraw", third);

        Eventually.holds("it waits on a node again", () -> {
            JsonNode status = api.get("/api/status/" + third).body();
            return status.path("attempts").path(0).path("reason").asText().equals("moved") && status.path("reason").asText().equals("queued");
        });
        running.forEach(job -> assertEquals(200, cancel(job).status()));
        assertEquals("completed", ended(third).path("status").asText());
    }

    @Test
    void operators_jobs_count_in_the_queue_and_end_there() throws IOException {
        Path script = Files.writeString(directory.resolve("long.sh"), "sleep 600\n");

        String job = site.gpuq(0, "submit", "--script", script.toString(), "--expected", "100");

        Eventually.holds("the server counts it", () -> node(0).path("queue_length").asInt() == 1 && node(0).path("running").asInt() == 1);
        assertTrue(node(0).path("total_wait_time").asInt() > 50, () -> node(0).toString());
        assertEquals(1, api.get("/api/status/" + submit(FOREVER)).body().path("node_id").asInt());
        site.gpuq(0, "cancel", job);
        Eventually.holds("the server counts it no more", () -> node(0).path("queue_length").asInt() == 0);
    }

    @Test
    void a_job_that_asks_for_a_node_waits_for_that_node() {
        site.gpuq(1, "drain", "--reason", "repair");
        Eventually.holds("the server knows", () -> node(1).path("status").asText().equals("drained"));

        Answer refused = api.submit("?wait=false", GOOD, ApiClient.config("node_id: 1"));
        assertEquals(503, refused.status(), refused::toString);
        assertTrue(refused.text("detail").contains("node 1 is drained (repair)"), refused::toString);
        Answer unknown = api.submit("?wait=false", GOOD, ApiClient.config("node_id: 2"));
        assertEquals(400, unknown.status(), unknown::toString);
        assertTrue(unknown.text("detail").contains("node_id: there is no node 2"), unknown::toString);

        site.gpuq(1, "resume");
        Eventually.holds("it is taken", () -> api.submit("?wait=false", GOOD, ApiClient.config("node_id: 1")).status() == 200);
        submit(FOREVER);
        String job = api.submit("?wait=false", GOOD, ApiClient.config("node_id: 1")).text("job_id");
        assertEquals(1, ended(job).path("node_id").asInt());
    }

    @Test
    void who_waits_is_told_of_the_end_though_the_results_cannot_be_read() throws IOException {
        Path cue = directory.resolve("cue");
        String onCue = "import os, time\nwhile not os.path.exists('%s'): time.sleep(0.02)\n".formatted(cue) + GOOD;
        var waiting = CompletableFuture.supplyAsync(() -> api.submit("?wait=true", onCue, ApiClient.config()), Thread::startVirtualThread);
        Eventually.holds("it runs", () -> !api.get("/api/jobs?status=running").body().path("jobs").isEmpty());
        String job = api.get("/api/jobs").body().path("jobs").path(0).path("job_id").asText();
        Path unreadable = Files.createDirectory(directory.resolve("jobs/sealed/" + job + ".1.stderr"));
        Files.createFile(cue);

        Answer answer = waiting.join();
        assertEquals(200, answer.status(), answer::toString);
        assertEquals(List.of(job, "completed", "The results cannot be read now. Use /api/results/{job_id} to check later."),
                List.of(answer.text("job_id"), answer.text("status"), answer.text("message")));
        Files.delete(unreadable);
        assertTrue(api.get("/api/results/" + job).text("stdout").contains("test_fitness"));
    }

    @Test
    void a_waiting_job_is_cancelled_before_it_starts() {
        submit(FOREVER);
        submit(FOREVER);
        String third = submit(GOOD);

        assertEquals(200, cancel(third).status());

        assertEquals("cancelled", api.get("/api/status/" + third).text("status"));
        assertTrue(api.get("/api/status/" + third).body().path("started_at").isNull());
    }

    @Test
    void while_the_spool_is_away_nothing_is_believed_and_afterwards_nothing_is_lost() throws IOException {
        Path marker = directory.resolve("the solution runs");
        String job = submit("open('%s', 'w')\n%s".formatted(marker, FOREVER));
        int on = api.get("/api/status/" + job).body().path("node_id").asInt();
        Eventually.holds("the solution runs", () -> Files.exists(marker));
        Eventually.holds("the server knows", () -> api.get("/api/status/" + job).text("status").equals("running"));

        Path away = directory.resolve("away");
        Files.move(site.spool(on), away);
        Eventually.holds("the node is out of service", Duration.ofSeconds(40), () -> node(on).path("status").asText().equals("unreachable"));
        assertEquals("running", api.get("/api/status/" + job).text("status"));
        bringBack(away, site.spool(on));

        Eventually.holds("the node is back", Duration.ofSeconds(40), () -> node(on).path("status").asText().equals("active"));
        assertEquals("running", api.get("/api/status/" + job).text("status"), () -> api.get("/api/status/" + job) + site.gpuq(on, "status", job));
        assertEquals(200, cancel(job).status());
    }

    @Test
    void a_server_that_died_right_after_a_node_was_given_up_gives_up_its_jobs_at_its_next_start() throws Exception {
        Path marker = directory.resolve("it ran");
        String job = submit(GOOD_AT_ITS_SECOND_RUN.formatted(marker));
        int on = api.get("/api/status/" + job).body().path("node_id").asInt();
        Eventually.holds("it runs", () -> Files.exists(marker) && api.get("/api/status/" + job).text("status").equals("running"));
        server.close();
        Path away = directory.resolve("away");
        Files.move(site.spool(on), away);
        try (Database database = Database.open(ServerConfig.load(site.config(), Map.of()).database())) {
            new NodeMemory(database).declareLost(on, Instant.now()); // the first of the commits that giving up makes, and the last one that was made
        }

        start();
        JsonNode ended = ended(job);
        assertEquals("completed", ended.path("status").asText(), ended::toString);
        assertEquals(1 - on, ended.path("node_id").asInt());
        assertEquals("node_lost", ended.path("attempts").path(0).path("reason").asText(), ended::toString);

        bringBack(away, site.spool(on));
        Eventually.holds("the old attempt is ended", Duration.ofSeconds(60), () -> site.gpuq(on, "status", job).contains("cancelled"));
        Eventually.holds("then the node gets work", Duration.ofSeconds(60), () -> node(on).path("status").asText().equals("active"));
    }

    @Test
    void a_job_that_left_its_spool_is_not_called_cancelled_though_the_server_died_when_it_had_told_the_node() throws Exception {
        Path marker = directory.resolve("it ran");
        String job = submit(GOOD_AT_ITS_SECOND_RUN.formatted(marker));
        int on = api.get("/api/status/" + job).body().path("node_id").asInt();
        Eventually.holds("it runs", () -> Files.exists(marker) && api.get("/api/status/" + job).text("status").equals("running"));
        server.close();
        site.gpuq(on, "cancel", job);
        site.gpuq(on, "release", job);
        Files.move(site.spool(on).resolve("released/" + job + ".1"), directory.resolve("taken away"));
        assertTrue(site.serve(on, "1 1 withdraw " + job + " 1 0").contains("outcome withdrawn")); // as the server says to a node that does not have it

        server = RunningServer.start(site, Map.of());
        api = new ApiClient(server.uri());
        assertEquals("completed", ended(job).path("status").asText(), () -> ended(job).toString());
    }

    @Test
    void the_jobs_of_a_node_that_left_the_configuration_can_be_given_up() throws IOException {
        String job = submit(FOREVER);
        int on = api.get("/api/status/" + job).body().path("node_id").asInt();
        Eventually.holds("it runs", () -> api.get("/api/status/" + job).text("status").equals("running"));
        server.close();
        String all = Files.readString(site.config());
        Files.writeString(site.config(), all.replaceFirst("(?s)  - id: " + on + "\n.*?\n", ""));
        server = RunningServer.start(site, Map.of());
        api = new ApiClient(server.uri());
        assertEquals("running", api.get("/api/status/" + job).text("status"));

        Answer lost = api.post("/api/nodes/" + on + "/lost", "Authorization", "Bearer " + server.users().add("boss", true, "a test"));
        assertEquals("lost", lost.text("status"), lost::toString);
        Eventually.holds("it runs elsewhere", () -> api.get("/api/status/" + job).body().path("node_id").asInt() == 1 - on);
        assertEquals("node_lost", api.get("/api/status/" + job).body().path("attempts").path(0).path("reason").asText());
        assertEquals(404, api.post("/api/nodes/" + on + "/lost", "Authorization", "Bearer " + server.users().add("other", true, "a test")).status());
        site.gpuq(on, "cancel", job);
    }

    /** Somebody may have made a new spool in its place by then. */
    private static void bringBack(Path away, Path spool) throws IOException {
        if (Files.exists(spool)) {
            Files.move(spool, spool.resolveSibling("made-meanwhile"));
        }
        Files.move(away, spool);
    }

    private String submit(String code) {
        Answer answer = api.submit("?wait=false", code, ApiClient.config());
        assertEquals(200, answer.status(), answer::toString);
        return answer.text("job_id");
    }

    private Answer cancel(String job) {
        return api.post("/api/cancel/" + job, "Authorization", "Bearer sarang");
    }

    private JsonNode node(int id) {
        return api.get("/api/nodes").body().path("nodes").path(id);
    }

    private JsonNode ended(String job) {
        Eventually.holds("job " + job + " has ended", Duration.ofSeconds(40), () -> !api.get("/api/status/" + job).text("status").matches("pending|running"));
        return api.get("/api/status/" + job).body();
    }
}
