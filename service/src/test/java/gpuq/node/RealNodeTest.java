package gpuq.node;

import gpuq.Eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.node.JobRecord.How;
import gpuq.node.JobRecord.Phase;
import gpuq.node.Node.Bell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The conversation with the real node scripts over a real spool. */
@Timeout(60)
class RealNodeTest {

    @TempDir
    Path folder;

    private Node node;

    @BeforeEach
    void open() throws IOException {
        node = NodeLines.local("n7", Scripts.gpuq(), Scripts.configuration(folder, 1), RogueNode.AUTHORITY, Deadlines.USUAL).down();
    }

    @AfterEach
    void no_process_is_left() throws Exception {
        try {
            if (answers(node)) {
                node.list().jobs().forEach(job -> node.cancel(job.job(), job.attempt()));
                Eventually.holds("all jobs end", () -> node.list().jobs().stream().allMatch(job -> job.phase() == Phase.ENDED));
            }
        } finally {
            node.close();
        }
        Children.awaitNone();
    }

    /** @param body what the launch script does behind its assignments */
    private static Bundle bundle(UUID job, String body) {
        var files = new LinkedHashMap<String, byte[]>();
        files.put("job", """
                job %s
                attempt 1
                origin server
                user sarang
                project my_project
                competition random-acts-of-pizza
                template process
                gpus 1
                priority 0
                expected_time 60
                time_limit 600
                submitted_at 1763400000123456
                """.formatted(job).getBytes(UTF_8));
        files.put("launch.sh", ("#!/usr/bin/env bash\n" + body + "\n").getBytes(UTF_8));
        files.put("solution.py", "print('ü')\n".getBytes(UTF_8));
        return new Bundle(job, 1, files);
    }

    @Test
    void a_job_goes_in_is_heard_of_fetched_and_released() throws Exception {
        var job = UUID.randomUUID();
        BlockingQueue<Bell> bells = new LinkedBlockingQueue<>();
        var from = node.list().position();
        var watcher = Thread.ofVirtual().start(() -> assertThrows(NodeUnreachable.class, () -> node.watch(from, bells::add)));

        var sent = node.submit(bundle(job, "echo '{\"é\": 1}' >results.jsonl; echo words >&2; exit 3"));
        assertEquals("sarang", sent.facts().orElseThrow().user());
        Instant submitted = sent.facts().orElseThrow().submittedAt();
        assertEquals(1763400000123456L, submitted.getEpochSecond() * 1_000_000 + submitted.getNano() / 1000);

        var last = awaitEnd(bells, job);
        var record = node.status(job, 1);
        assertEquals(last.seq(), record.seq());
        var ending = record.ending().orElseThrow();
        assertEquals(How.EXITED, ending.how());
        assertEquals(3, ending.exitCode().orElseThrow());
        assertEquals(6, ending.stderrSize());

        byte[] results = node.fetch(job, 1, "results", 0, 1000);
        assertEquals("{\"é\": 1}\n", new String(results, UTF_8));
        assertEquals(ending.results().orElseThrow(), new JobRecord.Sealed(results.length, sha256(results)));
        assertArrayEquals(Arrays.copyOfRange(results, 2, 5), node.fetch(job, 1, "results", 2, 3));
        assertEquals(0, node.fetch(job, 1, "results", results.length, 1000).length);

        assertEquals(1, node.list().jobs().size());
        node.release(job, 1);
        node.release(job, 1);
        assertTrue(node.list().jobs().isEmpty());
        node.close();
        watcher.join();
    }

    private static Bell.Event awaitEnd(BlockingQueue<Bell> bells, UUID job) throws InterruptedException {
        while (true) {
            Bell bell = bells.poll(20, TimeUnit.SECONDS);
            assertTrue(bell != null, "no bell for the end of the job");
            if (bell instanceof Bell.Event event && event.job().equals(job) && event.phase() == Phase.ENDED) {
                return event;
            }
        }
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    @Test
    void a_running_job_is_cancelled_and_a_waiting_one_withdrawn() {
        var running = UUID.randomUUID();
        var waiting = UUID.randomUUID();
        node.submit(bundle(running, "exec sleep 600"));
        Eventually.holds("it runs", () -> node.status(running, 1).phase() == Phase.RUNNING);
        assertEquals(Phase.WAITING, node.submit(bundle(waiting, "exit 0")).phase());
        assertEquals(1, node.info().waiting());
        assertEquals(How.WITHDRAWN, node.withdraw(waiting, 1).ending().orElseThrow().how());
        node.cancel(running, 1);
        Eventually.holds("it ends", () -> node.status(running, 1).phase() == Phase.ENDED);
        assertEquals(How.CANCELLED, node.cancel(running, 1).ending().orElseThrow().how());
    }

    @Test
    void a_record_that_its_job_has_spoilt_hides_no_other_and_not_its_own_end() throws IOException {
        var spoilt = UUID.randomUUID();
        var other = UUID.randomUUID();
        node.submit(bundle(spoilt, "echo 'gpus 0' >>%1$s; echo '?!' >>%1$s".formatted(folder.resolve("spool/jobs/" + spoilt + ".1/job"))));
        node.submit(bundle(other, "exit 0"));
        Eventually.holds("both end", () -> node.list().jobs().stream().filter(job -> job.phase() == Phase.ENDED).count() == 2);
        assertEquals(How.EXITED, node.status(spoilt, 1).ending().orElseThrow().how());
        assertEquals(1, node.status(spoilt, 1).facts().orElseThrow().gpus());
        assertTrue(node.status(other, 1).facts().isPresent());
        Files.writeString(folder.resolve("spool/jobs/" + spoilt + ".1/job"), "gpus 0\n"); // nobody mends it now
        assertEquals(How.EXITED, node.status(spoilt, 1).ending().orElseThrow().how());
        assertTrue(node.status(spoilt, 1).facts().isEmpty() && !node.status(spoilt, 1).tombstone());
    }

    @Test
    void a_record_that_says_nothing_any_more_is_left_out_and_the_conversation_goes_on() throws IOException {
        var spoilt = UUID.randomUUID();
        node.submit(bundle(spoilt, "exit 0"));
        Eventually.holds("it ends", () -> node.status(spoilt, 1).phase() == Phase.ENDED);
        Files.writeString(folder.resolve("spool/jobs/" + spoilt + ".1/status"), "seq ?\nstate ended\n");
        assertTrue(node.list().jobs().isEmpty());
        assertThrows(Unreadable.class, () -> node.status(spoilt, 1));
        assertEquals(1, node.info().slots());
    }

    @Test
    void a_submit_after_its_cancel_finds_the_tombstone() {
        var job = UUID.randomUUID();
        assertEquals(How.CANCELLED, node.cancel(job, 1).ending().orElseThrow().how());
        assertEquals(How.CANCELLED, node.submit(bundle(job, "exit 0")).ending().orElseThrow().how());
    }

    @Test
    void a_repeated_submit_is_the_same_job() {
        var job = UUID.randomUUID();
        node.submit(bundle(job, "exit 0"));
        node.submit(bundle(job, "exit 0"));
        assertEquals(1, node.list().jobs().size());
    }

    @Test
    void an_unknown_job_is_refused_with_66() {
        assertEquals(66, assertThrows(NodeRefused.class, () -> node.status(UUID.randomUUID(), 1)).code());
    }

    @Test
    void a_killed_conversation_loses_no_job_and_is_noticed_while_a_job_runs() {
        var job = UUID.randomUUID();
        node.submit(bundle(job, "exec sleep 600"));
        Eventually.holds("it runs", () -> node.status(job, 1).phase() == Phase.RUNNING);
        for (int i = 0; i < 3; i++) {
            Children.kill();
            Eventually.holds("the node answers again", () -> answers(node));
        }
        assertEquals(Phase.RUNNING, node.status(job, 1).phase());
    }

    private static boolean answers(Node node) {
        try {
            return node.info().slots() == 1;
        } catch (NodeUnreachable e) {
            return false;
        }
    }

    @Test
    void five_hundred_commands_under_way_are_all_answered() throws Exception {
        var job = UUID.randomUUID();
        node.submit(bundle(job, "exit 0"));
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var calls = new ArrayList<Future<JobRecord>>();
            for (int i = 0; i < 500; i++) {
                calls.add(threads.submit(() -> node.status(job, 1)));
            }
            for (var call : calls) {
                assertEquals(job, call.get().job());
            }
        }
    }

    @Test
    void a_faulty_configuration_is_told_with_its_reason() throws IOException {
        Files.writeString(folder.resolve("gpuq.conf"), "GPUQ_SPOOL=here\n");
        String message = assertThrows(NodeUnreachable.class, node::info).getMessage();
        assertTrue(message.contains("GPUQ_SPOOL is 'here', which is not an absolute path"), message);
    }
}
