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
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills the server with KILL in the middle of what it does. A client behaves as a careful one would: it repeats a submit that was not answered,
 * under the same idempotency key. Whatever was acknowledged must run once and end once.
 */
class ServerCrashTest {
    /** strace counts the writes of each thread: with one carrier of virtual threads, these are the writes of the server. */
    private static final String[] ONE_WRITER = {"-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1"};

    @TempDir
    private Path directory;

    private final int port = freePort();

    @Test
    void a_job_runs_once_and_ends_once_whichever_write_the_server_dies_at() throws Exception {
        Site site = Site.in(directory, 2, port);
        boolean died = true;
        int write = 0;
        while (died) {
            write++;
            String name = "write-" + write;
            try (ServerProcess server = ServerProcess.start(site, port, ONE_WRITER)) {
                Process strace = dieAtWrite(server, write);
                Optional<String> id = submit(server, name);
                Eventually.holds("the server is dead or the job has ended", Duration.ofSeconds(30), () -> !server.alive() || id.isPresent() && ended(server, id.get()));
                died = !server.alive();
                server.kill();
                strace.waitFor();
            }
            try (ServerProcess server = ServerProcess.start(site, port)) {
                assertRanAndEndedOnce(server, name);
                assertEquals(write, jobs(server), "jobs, one for each name");
            }
        }
        assertTrue(write > 3, "after %d writes a job was through: the commits are not where they were".formatted(write - 1));
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

    /** @return the job's id, unless the server died over it */
    private Optional<String> submit(ServerProcess server, String name) {
        String code = """
                import shutil
                with open(%s, "a") as runs:
                    runs.write("ran\\n")
                shutil.copy("data/sampleSubmission.csv", "submission.csv")
                """.formatted("'" + directory.resolve(name) + "'");
        try {
            ApiClient.Answer answer = server.api().submit("?wait=false", code, ApiClient.config(), "Idempotency-Key", name);
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

    /** Writes of the database are the commits: the server dies at its n-th. */
    private static Process dieAtWrite(ServerProcess server, int n) throws IOException {
        Process strace = new ProcessBuilder("strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=pwrite64",
                "-e", "inject=pwrite64:signal=SIGKILL:when=" + n, "-p", Long.toString(server.pid()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        Path status = Path.of("/proc", Long.toString(server.pid()), "status");
        Eventually.holds("strace follows the server", Duration.ofSeconds(10), () -> {
            try {
                return Files.readString(status).lines().anyMatch(line -> line.matches("TracerPid:\\s+[1-9]\\d*"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return strace;
    }

    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
