package gpuq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import gpuq.api.ApiClient;
import gpuq.api.ApiClient.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two servers, each a process of its own, on one database and with the same two nodes. */
@Tag("mysql")
@Timeout(120)
class TwoServersTest {
    private static final Duration TAKEOVER = Duration.ofSeconds(10);
    private static final String GOOD = """
            import shutil
            with open("%s", "a") as runs:
                runs.write("ran\\n")
            shutil.copy("data/sampleSubmission.csv", "submission.csv")
            """;

    @TempDir
    private Path directory;

    private final int port = freePort();
    private final int twinPort = freePort();
    private final List<ServerProcess> running = new ArrayList<>();
    private Site site;
    private Path twin;
    private ServerProcess leader;
    private ServerProcess reader;

    @BeforeEach
    void start() {
        site = Site.in(directory, 2, port);
        twin = site.twin(twinPort);
        leader = process(site.config(), port);
        reader = process(twin, twinPort);
    }

    private ServerProcess process(Path config, int at) {
        ServerProcess process = ServerProcess.start(config, at);
        running.add(process);
        return process;
    }

    @AfterEach
    void stop() {
        Eventually.holds("nothing runs any more", Duration.ofSeconds(40), () -> running.getLast().api().get("/api/nodes").body().path("nodes")
                .findValues("queue_length").stream().allMatch(length -> length.asInt() == 0));
        running.stream().filter(ServerProcess::alive).forEach(ServerProcess::kill);
    }

    @Test
    void one_leads_and_the_other_answers_whatever_is_read() {
        String job = submit(leader, GOOD.formatted(directory.resolve("ran")));
        ended(reader, job);

        for (String path : List.of("/api/status/" + job, "/api/results/" + job, "/api/jobs")) {
            assertEquals(leader.api().get(path).body(), reader.api().get(path).body(), path);
        }
        assertTrue(reader.api().get("/api/results/" + job).text("stdout").contains("test_fitness"));
        assertEquals(publicNames(directory), publicNames(directory.resolve("twin")), "the results have their public name on both");
        Eventually.holds("both show the same nodes", () ->
                leader.api().get("/api/nodes").body().equals(reader.api().get("/api/nodes").body()));
        refusesToLead(reader);
    }

    private void refusesToLead(ServerProcess server) {
        for (Answer refused : List.of(
                server.api().submit("?wait=false", GOOD, ApiClient.config()),
                server.api().post("/api/cancel/" + submit(leader, GOOD), "Authorization", "Bearer sarang"))) {
            assertEquals(503, refused.status(), refused::toString);
            assertTrue(refused.raw().headers().firstValue("Retry-After").isPresent());
            assertTrue(refused.text("detail").contains("127.0.0.1:" + port), refused::toString);
        }
    }

    @Test
    void the_other_takes_over_from_one_that_is_killed_and_every_job_goes_on() {
        List<Path> marks = IntStream.range(0, 6).mapToObj(i -> directory.resolve("ran-" + i)).toList();
        List<String> jobs = marks.stream().map(mark -> submit(leader, GOOD.formatted(mark) + "\nimport time; time.sleep(1)")).toList();
        CompletableFuture<Answer> waiting = CompletableFuture.supplyAsync(() ->
                reader.api().get("/health")); // a reader is a healthy server
        leader.kill();

        Eventually.holds("the other accepts", TAKEOVER, () -> reader.api().submit("?wait=false", GOOD.formatted("x"), ApiClient.config()).status() == 200);

        assertEquals(200, waiting.join().status());
        jobs.forEach(job -> assertEquals("completed", ended(reader, job).path("status").asText()));
        marks.forEach(mark -> assertEquals(1, lines(mark), mark + ": so often it ran"));
        ServerProcess back = process(site.config(), port);
        assertEquals(503, back.api().submit("?wait=false", GOOD, ApiClient.config()).status(), "who comes back does not lead");
        assertTrue(back.api().get("/api/results/" + jobs.getFirst()).text("stdout").contains("test_fitness"));
    }

    @Test
    void a_server_that_slept_through_its_lease_commands_nobody_and_writes_nothing() throws Exception {
        Path mark = directory.resolve("ran");
        String running = submit(leader, "import time; time.sleep(3)\n" + GOOD.formatted(mark));
        Eventually.holds("it runs", () -> leader.api().get("/api/status/" + running).text("status").equals("running"));
        signal(leader, "STOP");
        Eventually.holds("the other leads", TAKEOVER, () -> reader.api().submit("?wait=false", GOOD.formatted(mark), ApiClient.config()).status() == 200);
        Eventually.holds("the nodes obey it", () -> epoch(0) == epoch(1) && epoch(0) > 1);
        long epoch = epoch(0);

        signal(leader, "CONT");
        Eventually.holds("it knows that it leads no more", () -> leader.api().submit("?wait=false", GOOD.formatted(mark), ApiClient.config()).status() == 503);

        assertEquals("completed", ended(reader, running).path("status").asText());
        assertEquals("completed", ended(leader, running).path("status").asText(), "it still answers what is read");
        assertEquals(epoch, epoch(0), "nobody else has taken the lead");
        assertEquals(2, leader.api().get("/api/jobs").body().path("jobs").size(), "what was refused was not written");
        Eventually.holds("each ran once", () -> lines(mark) == 2);
    }

    @Test
    void a_server_that_is_told_to_stop_hands_the_lead_over_at_once() {
        leader.close();
        Eventually.holds("the other accepts", Duration.ofSeconds(4), () -> reader.api().submit("?wait=false", GOOD, ApiClient.config()).status() == 200);
    }

    @Test
    void one_that_is_killed_and_started_again_at_once_leads_at_once() {
        reader.close();
        long before = epoch(0);
        leader.kill();
        ServerProcess again = process(site.config(), port);
        ended(again, submit(again, GOOD)); // it found the lease in its own name
        assertNotEquals(before, epoch(0));
    }

    @Test
    void a_client_that_waits_at_a_server_which_stops_to_lead_gets_its_answer_there() throws Exception {
        CompletableFuture<Answer> answer = CompletableFuture.supplyAsync(() ->
                leader.api().submit("", "import time; time.sleep(9)\n" + GOOD.formatted(directory.resolve("ran")), ApiClient.config()));
        Eventually.holds("it runs", () -> reader.api().get("/api/jobs?status=running").body().path("jobs").size() == 1);
        signal(leader, "STOP");
        Eventually.holds("the other leads", TAKEOVER, () -> reader.api().submit("?wait=false", GOOD, ApiClient.config()).status() == 200);
        signal(leader, "CONT");
        assertEquals("completed", answer.join().text("status"));
        assertTrue(answer.join().text("stdout").contains("test_fitness"));
    }

    private long epoch(int node) {
        try {
            return Long.parseLong(Files.readString(site.spool(node).resolve("epoch")).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void signal(ServerProcess server, String name) throws Exception {
        assertEquals(0, new ProcessBuilder("kill", "-" + name, Long.toString(server.pid())).start().waitFor());
    }

    private static String submit(ServerProcess to, String code) {
        Answer answer = to.api().submit("?wait=false", code, ApiClient.config());
        assertEquals(200, answer.status(), answer::toString);
        return answer.text("job_id");
    }

    private static JsonNode ended(ServerProcess at, String job) {
        Eventually.holds("job " + job + " ends", Duration.ofSeconds(40), () -> !at.api().get("/api/status/" + job).body().path("completed_at").isNull());
        return at.api().get("/api/status/" + job).body();
    }

    private static List<String> publicNames(Path data) {
        try (var files = Files.list(data.resolve("jobs/results"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int lines(Path file) {
        try {
            return Files.readAllLines(file).size();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int freePort() {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
