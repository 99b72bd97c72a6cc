package gpuq.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.db.Database;
import gpuq.db.DatabaseSettings;
import gpuq.db.DatabaseUnavailable;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process inserts and moves jobs, says so, and is killed with {@code SIGKILL}: what it said must be there. */
class AcknowledgedJobsTest {
    private static final int ROUNDS = Integer.getInteger("test.kill.rounds", 3);

    @TempDir Path folder;

    @Test
    void no_acknowledged_job_or_move_is_lost_to_kill_9() throws Exception {
        long seed = Long.getLong("test.seed", System.nanoTime());
        Random random = new Random(seed);
        List<String> acknowledged = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            acknowledged.addAll(untilKilled(random.nextInt(1, 400)));
        }
        Database database = Database.open(settings(folder));
        try {
            JobStore store = new JobStore(database);
            for (String line : acknowledged) {
                String[] words = line.split(" ");
                Job job = store.find(UUID.fromString(words[1])).orElseThrow(() -> new AssertionError("seed " + seed + " lost: " + line));
                assertTrue(!words[0].equals("sent") || job.state() instanceof State.Sent, "seed " + seed + " lost: " + line);
                assertEquals("code of " + job.id(), store.code(job.id()).orElseThrow());
            }
            for (Job job : store.unfinished()) {
                assertEquals("code of " + job.id(), store.code(job.id()).orElseThrow(), "seed " + seed + ": half a job");
            }
        } finally {
            database.close();
        }
    }

    /** A copy of a file that is only appended to is what a kill leaves at that moment. With H2 2.5.252 whoever moves such a job turns in a circle for ever. */
    @Test
    void a_commit_that_was_interrupted_holds_up_nobody() throws Exception {
        Database database = Database.open(settings(folder));
        JobStore store = new JobStore(database);
        AtomicInteger moves = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        List<Thread> writers = Stream.generate(() -> Thread.ofPlatform().start(() -> {
            while (!over.get()) {
                insertAndMove(store, moves);
            }
        })).limit(6).toList();
        for (int copy = 0; copy < 10 * ROUNDS; copy++) {
            for (int until = moves.get() + 5; moves.get() < until;) {
                Thread.onSpinWait();
            }
            Files.copy(folder.resolve("gpuq.mv.db"), Files.createDirectory(folder.resolve("" + copy)).resolve("gpuq.mv.db"));
        }
        over.set(true);
        for (Thread writer : writers) {
            writer.join();
        }
        database.close();
        for (int copy = 0; copy < 10 * ROUNDS; copy++) {
            cancelAll(folder.resolve("" + copy));
        }
    }

    private static void insertAndMove(JobStore store, AtomicInteger moves) {
        Job job = JobSamples.job("sarang", Instant.now());
        store.insert(job, "code of " + job.id(), Optional.empty());
        for (State next : List.of(new State.Sent(0), new State.Waiting(0), new State.Running(0, Instant.now()))) {
            Job moved = job.in(next);
            store.move(job, moved);
            job = moved;
            moves.incrementAndGet();
        }
    }

    private static void cancelAll(Path folder) {
        Database database = Database.open(settings(folder));
        try {
            JobStore store = new JobStore(database);
            assertTimeoutPreemptively(Duration.ofSeconds(20), () -> store.unfinished().forEach(job ->
                    assertTrue(store.move(job, job.in(new State.Ended(job.state().node(), Optional.empty(), Instant.now(), new Outcome.Cancelled()))))),
                    () -> "in the copy " + folder);
        } finally {
            database.close();
        }
    }

    @Test
    void a_second_process_is_told_that_the_database_is_in_use() throws Exception {
        Process first = start();
        try (BufferedReader out = first.inputReader()) {
            out.readLine();
            var thrown = assertThrows(DatabaseUnavailable.class, () -> Database.open(settings(folder)));
            assertEquals("the database %s is in use by another process: stop that server, or give this one a data directory of its own"
                    .formatted(folder.resolve("gpuq.mv.db")), thrown.getMessage());
        } finally {
            first.destroyForcibly().waitFor();
        }
    }

    private List<String> untilKilled(int lines) throws Exception {
        Process process = start();
        List<String> said = new ArrayList<>();
        try (BufferedReader out = process.inputReader()) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                said.add(line);
                if (said.size() == lines) {
                    process.toHandle().destroyForcibly(); // unlike Process, this leaves its output to be read
                }
            }
        }
        process.waitFor();
        assertTrue(said.size() >= lines, "the process ended by itself: " + new String(process.getErrorStream().readAllBytes()));
        return said.stream().filter(line -> line.length() == "sent ".length() + 36).toList();
    }

    private Process start() throws IOException {
        return new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(), "-XX:TieredStopAtLevel=1", "-Xmx128m",
                "-cp", System.getProperty("java.class.path"), Inserting.class.getName(), folder.toString()).start();
    }

    /** As in production, except that a file which writes into freed space would do so at once and not after 45 seconds: such a one loses commits. */
    private static DatabaseSettings settings(Path folder) {
        DatabaseSettings embedded = DatabaseSettings.embedded(folder.resolve("gpuq"));
        return new DatabaseSettings(embedded.url() + ";RETENTION_TIME=1000", embedded.username(), embedded.password(), embedded.connections());
    }

    /** The process to be killed: from four threads, commits, then says {@code kept ID} and {@code sent ID}. */
    static final class Inserting {
        public static void main(String[] args) {
            JobStore store = new JobStore(Database.open(settings(Path.of(args[0]))));
            for (int i = 0; i < 4; i++) {
                Thread.ofPlatform().start(() -> {
                    while (true) {
                        Job job = JobSamples.job("sarang", Instant.now());
                        store.insert(job, "code of " + job.id(), Optional.empty());
                        say("kept " + job.id());
                        if (store.move(job, job.in(new State.Sent(0)))) {
                            say("sent " + job.id());
                        }
                    }
                });
            }
        }

        private static void say(String line) {
            synchronized (System.out) {
                System.out.println(line);
                System.out.flush();
            }
        }
    }
}
