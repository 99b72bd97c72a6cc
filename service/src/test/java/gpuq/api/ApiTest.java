package gpuq.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuq.api.ApiClient.Answer;
import gpuq.RunningServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The published API against the whole system in demonstration mode: two local nodes, real scripts, the real grader.
 */
@Timeout(120)
class ApiTest {
    private static final String BEARER = "Bearer sarang";
    private static final String GOOD = """
            import glob, shutil
            shutil.copy(glob.glob("data/*ample*ubmission*.csv")[0], "submission.csv")
            """;
    private static final String CRASHING = "raise SystemExit('crash')\n";
    private static final String FOREVER = "import time; time.sleep(600)  # forever\n";

    @TempDir
    private static Path directory;

    private static RunningServer server;
    private static ApiClient api;

    @BeforeAll
    static void start() {
        server = RunningServer.start(directory);
        api = new ApiClient(server.uri());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void a_waited_submit_is_graded() throws Exception {
        Answer done = api.submit("?wait=true", GOOD, ApiClient.config());
        assertEquals(200, done.status());
        assertEquals(
                List.of("job_id", "node_id", "status", "stdout", "stderr", "exit_code", "started_at", "completed_at"), done.fields());
        assertEquals("completed", done.text("status"));
        assertTrue(new ObjectMapper().readTree(done.text("stdout")).get("test_fitness").isNumber());
        assertTrue(done.text("started_at").matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{6})?"));
        assertEquals(
                List.of("job_id", "status", "stdout", "stderr", "exit_code", "started_at", "completed_at"),
                api.get("/api/results/" + done.text("job_id")).fields());
        assertEquals(done.text("stdout"), api.get("/api/results/" + done.text("job_id")).text("stdout"));
    }

    @Test
    void waiting_is_the_default() {
        assertEquals("completed", api.submit("", GOOD, ApiClient.config()).text("status"));
    }

    @Test
    void a_submit_that_does_not_wait_can_be_followed_to_its_end() {
        Answer accepted = api.submit("?wait=false", GOOD, ApiClient.config());
        assertEquals(200, accepted.status());
        assertEquals(List.of("job_id", "node_id", "status", "message", "created_at"), accepted.fields());
        assertEquals("pending", accepted.text("status"));
        assertEquals("Job submitted successfully. Use /api/status/{job_id} to check progress.", accepted.text("message"));
        Answer status = ended(accepted.text("job_id"));
        assertEquals(
                List.of("job_id", "status", "node_id", "queue_position", "created_at", "started_at", "completed_at", "exit_code"),
                status.fields());
        assertTrue(status.body().get("queue_position").isNull());
        assertEquals(accepted.text("created_at"), status.text("created_at"));
    }

    @Test
    void a_crashing_solution_fails_with_a_reason() {
        Answer done = api.submit("", CRASHING, ApiClient.config());
        assertEquals(200, done.status());
        assertEquals("failed", done.text("status"));
        Answer status = api.get("/api/status/" + done.text("job_id"));
        assertEquals("solution_crashed", status.text("reason"));
        assertFalse(status.text("detail").isEmpty());
    }

    @Test
    void results_asked_for_too_early_are_nulls_and_a_cancel_ends_a_job_once() {
        String id = api.submit("?wait=0", FOREVER, ApiClient.config()).text("job_id");
        JsonNode early = api.get("/api/results/" + id).body();
        for (String field : List.of("stdout", "stderr", "exit_code", "completed_at")) {
            assertTrue(early.get(field).isNull(), field);
        }
        assertEquals(401, api.post("/api/cancel/" + id).status());
        assertEquals(401, api.post("/api/cancel/" + id, "Authorization", "Bearer nonsense").status());
        Answer cancelled = api.post("/api/cancel/" + id, "Authorization", BEARER);
        assertEquals(200, cancelled.status());
        assertEquals("{\"message\":\"Job cancelled successfully\",\"status\":\"cancelled\"}", cancelled.raw().body());
        Answer again = api.post("/api/cancel/" + id, "Authorization", BEARER);
        assertEquals(409, again.status());
        assertTrue(again.text("detail").contains("cancelled"));
        JsonNode late = api.get("/api/results/" + id).body();
        assertEquals("", late.get("stdout").asText("?"));
        assertTrue(late.get("exit_code").isNull());
    }

    @Test
    void a_waiter_hears_of_a_cancel() throws Exception {
        var waiting = new java.util.concurrent.CompletableFuture<Answer>();
        String key = UUID.randomUUID().toString();
        Thread.startVirtualThread(() -> waiting.complete(api.submit("", FOREVER, ApiClient.config(), "Idempotency-Key", key)));
        String id = api.submit("?wait=false", FOREVER, ApiClient.config(), "Idempotency-Key", key).text("job_id");
        api.post("/api/cancel/" + id, "Authorization", BEARER);
        Answer answer = waiting.get();
        assertEquals(id, answer.text("job_id"));
        assertEquals("cancelled", answer.text("status"));
        assertEquals(200, answer.status());
    }

    @Test
    void the_same_key_and_form_give_the_same_job_and_another_form_is_refused() {
        String key = UUID.randomUUID().toString();
        Answer first = api.submit("?wait=false", GOOD, ApiClient.config(), "Idempotency-Key", key);
        assertEquals(first.text("job_id"), api.submit("", GOOD, ApiClient.config(), "Idempotency-Key", key).text("job_id"));
        assertEquals(422, api.submit("", GOOD + "#", ApiClient.config(), "Idempotency-Key", key).status());
    }

    @Test
    void who_one_is_comes_before_what_there_is() {
        Answer wrong = api.submit("", GOOD, ApiClient.config().replace("token: \"sarang\"", "token: \"x\"").replace("pizza", "none"));
        assertEquals(401, wrong.status());
        assertTrue(wrong.raw().headers().firstValue("WWW-Authenticate").isPresent());
        Answer mismatch = api.submit("", GOOD, ApiClient.config().replace("user_id: \"sarang\"", "user_id: \"somebody\""));
        assertEquals(wrong.raw().body(), mismatch.raw().body());
    }

    @Test
    void a_competition_that_nobody_knows_is_named() {
        Answer refused = api.submit("", GOOD, ApiClient.config().replace("random-acts-of-pizza", "no-such-thing"));
        assertEquals(400, refused.status());
        assertTrue(refused.text("detail").startsWith("competition_id: "));
        assertEquals(refused.text("detail"), refused.text("message"));
    }

    @Test
    void more_gpus_than_any_node_has_are_refused() {
        assertTrue(api.submit("", GOOD, ApiClient.config("gpus: 64")).text("detail").startsWith("gpus: "));
    }

    @Test
    void jobs_come_newest_first_page_by_page_and_filtered() {
        List<String> mine = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            mine.addFirst(api.submit("", GOOD, ApiClient.config()).text("job_id"));
        }
        var all = new ArrayList<String>();
        String next = "/api/jobs?limit=2&user_id=sarang&status=completed";
        for (String cursor = ""; all.size() < 5; ) {
            Answer page = api.get(next + cursor);
            assertEquals(200, page.status());
            page.body().get("jobs").forEach(job -> {
                assertEquals("completed", job.get("status").asText());
                all.add(job.get("job_id").asText());
            });
            cursor = "&cursor=" + page.text("next_cursor");
        }
        assertTrue(all.containsAll(mine) || new TreeSet<>(all).size() == all.size(), "no job twice: " + all);
        assertEquals(0, api.get("/api/jobs?user_id=nobody").body().get("jobs").size());
        for (String wrong : List.of("limit=0", "limit=1001", "limit=x", "status=done", "cursor=x", "user_id=%2F", "sort=asc", "limit=1&limit=2")) {
            assertEquals(400, api.get("/api/jobs?" + wrong).status(), wrong);
        }
    }

    @Test
    void nodes_are_listed() {
        JsonNode node = api.get("/api/nodes").body().get("nodes").get(0);
        assertEquals(
                "[\"node_id\",\"ip\",\"queue_length\",\"total_wait_time\",\"status\",\"slots\",\"running\",\"version\",\"reason\",\"since\",\"competitions\"]",
                new ObjectMapper().valueToTree(iterable(node)).toString());
        assertEquals("active", node.get("status").asText());
        assertTrue(node.get("competitions").toString().contains("random-acts-of-pizza"));
    }

    private static List<String> iterable(JsonNode node) {
        var names = new ArrayList<String>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Test
    void a_token_sent_with_a_read_is_ignored() {
        String id = api.submit("", GOOD, ApiClient.config()).text("job_id");
        for (String path : List.of("/api/status/" + id, "/api/results/" + id, "/api/nodes", "/api/jobs")) {
            assertEquals(200, api.get(path, "Authorization", "Bearer YOUR_TOKEN").status(), path);
            assertEquals(200, api.call("HEAD", path).status(), path);
        }
    }

    @Test
    void a_job_that_is_not_there_is_404_and_an_id_that_is_none_400() {
        for (String path : List.of("/api/status/", "/api/results/")) {
            assertEquals(404, api.get(path + UUID.randomUUID()).status());
            assertEquals(400, api.get(path + "1-1-1-1-1").status());
        }
        assertEquals(404, api.post("/api/cancel/" + UUID.randomUUID(), "Authorization", BEARER).status());
        assertEquals(400, api.post("/api/cancel/x", "Authorization", BEARER).status());
    }

    @Test
    void the_description_and_the_page_are_served() {
        assertEquals("3.1.0", api.get("/openapi?format=JSON").text("openapi"));
    }

    private static Answer ended(String id) {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (System.nanoTime() < deadline) {
            Answer status = api.get("/api/status/" + id);
            if (!List.of("pending", "running").contains(status.text("status"))) {
                return status;
            }
            Thread.onSpinWait();
        }
        throw new AssertionError("job " + id + " did not end: " + api.get("/api/status/" + id).raw().body());
    }
}
