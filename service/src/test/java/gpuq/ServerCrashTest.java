package gpuq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.api.ApiClient;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills the server with KILL in the middle of what it does. A client behaves as a careful one would: it repeats a submit that was not answered,
 * under the same idempotency key. Whatever was acknowledged must run once and end once.
 */
class ServerCrashTest {
    private static final String GOOD = """
            import shutil
            with open(%1$s, "a") as runs:
                runs.write("ran\\n")
            shutil.copy("data/sampleSubmission.csv", "submission.csv")
            """;

    @TempDir
    private Path directory;

    private final int port = freePort();

    @Tag("embedded")
    @Test
    void a_job_runs_once_and_ends_once_whichever_write_the_server_dies_at() throws Exception {
        Site site = Site.in(directory, 2, port);
        int writes = atEachWrite(site, (server, name) -> {}, (server, name) -> submit(server, name, GOOD), (server, name) -> {
            assertRanAndEndedOnce(server, name);
            assertEquals(1, jobsCalled(server, name), "jobs of this name");
        });
        assertTrue(writes > 3, "after %d writes a job was through: the commits are not where they were".formatted(writes));
    }

    @Tag("embedded")
    @Test
    void a_waiting_job_that_moves_to_an_idle_node_runs_once_whichever_write_the_server_dies_at() throws Exception {
        Site site = Site.in(directory, 2, port);
        Path script = Files.writeString(directory.resolve("long.sh"), "sleep 600\n");
        Map<Integer, String> longOnes = new ConcurrentHashMap<>();
        atEachWrite(site, (server, name) -> {
            for (int node = 0; node < 2; node++) {
                longOnes.put(node, site.gpuq(node, "submit", "--script", script.toString()));
            }
            Eventually.holds("both nodes are busy", () -> List.of(0, 1).stream().allMatch(node -> node(server, node).path("running").asInt() == 1));
            String id = submit(server, name, GOOD).orElseThrow();
            Eventually.holds("it waits", () -> server.api().get("/api/status/" + id).text("reason").equals("queued"));
        }, (server, name) -> {
            String id = submit(server, name, GOOD).orElseThrow();
            int on = server.api().get("/api/status/" + id).body().path("node_id").asInt();
            site.gpuq(1 - on, "cancel", longOnes.get(1 - on));
            return Optional.of(id);
        }, (server, name) -> {
            assertRanAndEndedOnce(server, name);
            longOnes.forEach((node, job) -> site.gpuq(node, "cancel", job));
        });
    }

    @Tag("embedded")
    @Test
    void a_job_that_the_system_failed_is_tried_again_once_whichever_write_the_server_dies_at() throws Exception {
        Site site = Site.in(directory, 2, port);
        String code = """
                import os, signal
                if not os.path.exists(%1$s):
                    open(%1$s, "w").write("ran\\n")
                    os.kill(os.getppid(), 9)
                    signal.pause()  # it outlives its grader for a moment
                """ + GOOD;
        atEachWrite(site, (server, name) -> {}, (server, name) -> submit(server, name, code), (server, name) -> {
            String id = submit(server, name, code).orElseThrow();
            JsonNode job = end(server, id);
            assertEquals("completed", job.path("status").asText(), job::toString);
            assertEquals("grader_failed", job.path("attempts").path(0).path("reason").asText(), job::toString);
            assertEquals(1, job.path("attempts").size(), job::toString);
            assertEquals(List.of("ran", "ran"), runs(name), "how often " + name + " ran");
        });
    }

    /** @param begin what comes before @param act what the server dies over; it gives a job, unless the server died @return how many writes there were */
    private int atEachWrite(
            Site site, BiConsumer<ServerProcess, String> begin, BiFunction<ServerProcess, String, Optional<String>> act,
            BiConsumer<ServerProcess, String> holds) throws Exception {
        boolean died = true;
        int write = 0;
        while (died) {
            write++;
            String name = "write-" + write;
            try (ServerProcess server = ServerProcess.start(site, port, ServerProcess.ONE_WRITER)) {
                begin.accept(server, name);
                Process strace = server.dieAtWrite(write);
                Optional<String> id = unlessItDies(server, name, act);
                Eventually.holds("the server is dead or the job has ended", Duration.ofSeconds(30), () -> !server.alive() || id.isPresent() && ended(server, id.get()));
                died = !server.alive();
                server.kill();
                strace.waitFor();
            }
            try (ServerProcess server = ServerProcess.start(site, port)) {
                holds.accept(server, name);
            }
        }
        return write - 1;
    }

    private static Optional<String> unlessItDies(ServerProcess server, String name, BiFunction<ServerProcess, String, Optional<String>> act) {
        try {
            return act.apply(server, name);
        } catch (UncheckedIOException | NoSuchElementException died) {
            return Optional.empty();
        }
    }

    private int jobsCalled(ServerProcess server, String name) {
        int write = Integer.parseInt(name.replace("write-", ""));
        return jobs(server) - (write - 1);
    }

    private static JsonNode node(ServerProcess server, int id) {
        return server.api().get("/api/nodes").body().path("nodes").path(id);
    }

    @Test
    void forty_submits_survive_kills_at_random_moments() {
        Site site = Site.in(directory, 2, port);
        long seed = Optional.ofNullable(System.getProperty("seed")).map(Long::valueOf).orElseGet(() -> ThreadLocalRandom.current().nextLong());
        System.out.println("seed " + seed + " (-Dseed=" + seed + " repeats it)");
        Random random = new Random(seed);
        List<String> names = IntStream.range(0, 40).mapToObj(i -> "load-" + i).toList();
        Map<String, String> acknowledged = new ConcurrentHashMap<>();

        for (int round = 0; round < 4; round++) {
            ServerProcess server = ServerProcess.start(site, port);
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                names.stream().filter(name -> !acknowledged.containsKey(name))
                        .forEach(name -> threads.submit(() -> submit(server, name).ifPresent(id -> acknowledged.put(name, id))));
                threads.submit(() -> {
                    LockSupport.parkNanos(Duration.ofMillis(random.nextInt(1500)).toNanos());
                    server.kill();
                });
            }
        }
        try (ServerProcess server = ServerProcess.start(site, port)) {
            names.forEach(name -> {
                String id = submit(server, name).orElseThrow();
                assertEquals(id, acknowledged.getOrDefault(name, id), "the same key gave another job");
            });
            names.forEach(name -> assertRanAndEndedOnce(server, name));
            assertEquals(names.size(), jobs(server), "jobs, one for each name");
        }
    }

    private void assertRanAndEndedOnce(ServerProcess server, String name) {
        String id = submit(server, name).orElseThrow();
        JsonNode job = end(server, id);
        assertEquals("completed", job.path("status").asText(), job::toString);
        assertEquals(List.of("ran"), runs(name), "how often " + name + " ran");
        JsonNode results = server.api().get("/api/results/" + id).body();
        assertTrue(results.path("stdout").asText().contains("\"test_fitness\": 0.5"), results::toString);
    }

    private Optional<String> submit(ServerProcess server, String name) {
        return submit(server, name, GOOD);
    }

    /** @param code with the place for the file that says how often it ran @return the job's id, unless the server died over it */
    private Optional<String> submit(ServerProcess server, String name, String code) {
        try {
            String text = code.formatted("'" + directory.resolve(name) + "'");
            ApiClient.Answer answer = server.api().submit("?wait=false", text, ApiClient.config(), "Idempotency-Key", name);
            return answer.status() == 200 ? Optional.of(answer.body().path("job_id").asText()) : Optional.empty();
        } catch (UncheckedIOException died) {
            return Optional.empty();
        }
    }

    private static JsonNode end(ServerProcess server, String id) {
        Eventually.holds("job " + id + " has ended", Duration.ofSeconds(60),
                () -> !server.api().get("/api/status/" + id).text("status").matches("pending|running"));
        return server.api().get("/api/status/" + id).body();
    }

    private static boolean ended(ServerProcess server, String id) {
        try {
            return server.api().get("/api/status/" + id).text("status").equals("completed");
        } catch (UncheckedIOException dying) {
            return false;
        }
    }

    private static int jobs(ServerProcess server) {
        return server.api().get("/api/jobs?limit=1000").body().path("jobs").size();
    }

    private List<String> runs(String name) {
        try {
            return Files.readAllLines(directory.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
