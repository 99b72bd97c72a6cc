package gpuq.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.RunningServer;
import gpuq.api.ApiClient.Answer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Where tokens are demanded everywhere: two users and an administrator. */
@Timeout(120)
class TokensTest {
    private static final String GOOD = """
            import shutil
            shutil.copy("data/sampleSubmission.csv", "submission.csv")
            """;

    @TempDir
    private static Path directory;

    private static RunningServer server;
    private static ApiClient api;
    private static String ada;
    private static String bob;
    private static String root;
    private static String job;

    @BeforeAll
    static void start() {
        server = RunningServer.start(directory, Map.of("GPUQ_SERVER_AUTH_REQUIRED_FOR_READS", "true"));
        api = new ApiClient(server.uri());
        ada = server.users().add("ada", false, "a test");
        bob = server.users().add("bob", false, "a test");
        root = server.users().add("root", true, "a test");
        Answer done = api.submit("", GOOD, ApiClient.config().replace("\"sarang\"", "\"%s\"").formatted("ada", ada));
        assertEquals("completed", done.text("status"), done::toString);
        job = done.text("job_id");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void without_a_valid_token_nothing_can_be_read() {
        for (String path : new String[] {"/api/status/" + job, "/api/results/" + job, "/api/jobs", "/api/nodes"}) {
            assertEquals(401, api.get(path).status(), path);
            assertEquals(401, api.get(path, "Authorization", "Bearer YOUR_TOKEN").status(), path);
        }
    }

    @Test
    void the_owner_reads_her_job() {
        assertEquals(200, api.get("/api/status/" + job, bearer(ada)).status());
        assertEquals(200, api.get("/api/results/" + job, bearer(ada)).status());
        assertTrue(api.get("/api/jobs", bearer(ada)).body().toString().contains(job));
    }

    @Test
    void somebody_elses_job_is_forbidden_and_not_in_the_list() {
        assertEquals(403, api.get("/api/status/" + job, bearer(bob)).status());
        assertEquals(403, api.get("/api/results/" + job, bearer(bob)).status());
        assertEquals(403, api.post("/api/cancel/" + job, bearer(bob)).status());
        assertEquals(0, api.get("/api/jobs", bearer(bob)).body().path("jobs").size());
    }

    @Test
    void an_administrator_sees_everything() {
        assertEquals(200, api.get("/api/status/" + job, bearer(root)).status());
        assertTrue(api.get("/api/jobs", bearer(root)).body().toString().contains(job));
    }

    @Test
    void a_token_works_for_its_own_user_only() {
        Answer refused = api.submit("", GOOD, ApiClient.config().replace("\"sarang\"", "\"%s\"").formatted("ada", bob));
        assertEquals(401, refused.status(), refused::toString);
    }

    private static String[] bearer(String token) {
        return new String[] {"Authorization", "Bearer " + token};
    }

    @Test
    void only_an_administrator_tells_nodes_what_to_do() {
        for (String verb : List.of("drain", "resume", "lost")) {
            assertEquals(401, api.post("/api/nodes/0/" + verb).status(), verb);
            assertEquals(403, api.post("/api/nodes/0/" + verb, bearer(ada)).status(), verb);
            for (String id : List.of("7", "x", "00", "-1", "99999999999")) {
                assertEquals(404, tell("/api/nodes/" + id + "/" + verb).status(), verb + " " + id);
            }
            assertEquals(400, tell("/api/nodes/0/" + verb + "?force=true").status(), verb);
        }
        for (String reason : List.of("", "%20", "two%0Alines", "x".repeat(501))) {
            assertEquals(400, tell("/api/nodes/0/drain?reason=" + reason).status(), reason);
        }
        Answer answers = tell("/api/nodes/0/lost");
        assertEquals(409, answers.status(), answers::toString);
        assertEquals("active", api.get("/api/nodes", bearer(ada)).body().get("nodes").get(0).get("status").asText());
    }

    @Test
    void a_drain_and_its_reason_reach_the_node_and_go_with_a_resume() {
        Answer drained = tell("/api/nodes/1/drain?reason=%3Cb%3E%20%24%28id%29%20%C3%A4");
        assertEquals(200, drained.status(), drained::toString);
        assertEquals("drained", drained.text("status"));
        assertEquals("<b> $(id) ä", drained.text("reason"));
        assertEquals("active", tell("/api/nodes/1/resume").text("status"));
    }

    private Answer tell(String path) {
        return api.post(path, bearer(root));
    }
}
