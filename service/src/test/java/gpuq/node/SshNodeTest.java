package gpuq.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.Eventually;
import gpuq.node.JobRecord.Phase;
import gpuq.node.Node.Bell;
import gpuq.node.SshAddress.HostKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nodes behind a real sshd, with the real node scripts. */
@Timeout(60)
class SshNodeTest {
    private static final Deadlines SHORT = new Deadlines(Duration.ofSeconds(6), Duration.ofSeconds(3), Duration.ofSeconds(1));

    @TempDir Path folder;

    @Test
    void a_job_goes_in_is_heard_of_and_fetched_over_one_connection() throws Exception {
        try (var sshd = new Sshd(folder, 1); var pair = pair(sshd.address())) {
            goesThrough(pair);
            assertEquals(1, sshd.logins());
        }
    }

    @Test
    void where_a_connection_has_one_session_each_channel_has_a_connection() throws Exception {
        try (var sshd = new Sshd(folder, 1, "MaxSessions 1"); var pair = pair(sshd.address())) {
            goesThrough(pair);
            assertEquals(3, sshd.logins());
        }
    }

    @Test
    void what_a_login_says_first_is_skipped() throws Exception {
        Path banner = Files.writeString(folder.resolve("banner"), "GPUQ 9 serve\nAuthorized use only.\n".repeat(50));
        try (var sshd = new Sshd(folder, 1, "Banner " + banner); var pair = pair(sshd.address())) {
            Files.move(folder.resolve("gpuq"), folder.resolve("quiet"));
            sshd.executable("gpuq", "#!/bin/bash\nprintf 'Welcome!\\n\\e]0;title\\a'; echo complaint >&2\nexec %s/quiet \"$@\"\n".formatted(folder));
            goesThrough(pair);
        }
    }

    @Test
    void a_key_that_may_only_serve_and_watch_is_enough() throws Exception {
        try (var sshd = new Sshd(folder, 1); var pair = pair(sshd.address())) {
            Files.writeString(folder.resolve("authorized"), "command=\"%s/gpuq allow serve watch\",restrict %s"
                    .formatted(folder, Files.readString(folder.resolve("key.pub"))));
            goesThrough(pair);
        }
    }

    @Test
    void a_host_that_is_not_known_is_refused_by_name_and_key() throws Exception {
        try (var sshd = new Sshd(folder, 1)) {
            Files.writeString(folder.resolve("known"), "elsewhere " + Files.readString(folder.resolve("host.pub")));
            String why = refusal(sshd.address());
            assertTrue(why.matches("node n7: its host key ssh-ed25519 SHA256:\\S{43} is not in .*/known"), why);
            assertEquals(0, sshd.logins());
            assertTrue(refusal(sshd.address(new HostKey.KnownHosts(folder.resolve("none")))).contains("is not in "));
        }
    }

    @Test
    void a_host_with_another_key_than_before_is_refused() throws Exception {
        try (var sshd = new Sshd(folder, 1)) {
            sshd.kill();
            sshd.keygen("host");
            sshd.start();
            String why = refusal(sshd.address());
            assertTrue(why.contains(" is another one than in " + folder.resolve("known")), why);
            assertEquals(0, sshd.logins());
        }
    }

    @Test
    void a_fingerprint_pins_a_host() throws Exception {
        try (var sshd = new Sshd(folder, 1)) {
            String fingerprint = sshd.run("ssh-keygen", "-lf", folder.resolve("host.pub").toString()).split(" ")[1];
            try (var pair = pair(sshd.address(new HostKey.Fingerprint(fingerprint)))) {
                assertEquals(1, pair.back().info().slots());
            }
            String other = "SHA256:" + "k".repeat(43);
            String why = refusal(sshd.address(new HostKey.Fingerprint(other)));
            assertTrue(why.contains(fingerprint) && why.endsWith("is not the " + other + " of the configuration"), why);
        }
    }

    @Test
    void a_key_that_is_not_let_in_or_cannot_be_used_is_told() throws Exception {
        try (var sshd = new Sshd(folder, 1)) {
            Files.writeString(folder.resolve("authorized"), "");
            assertTrue(refusal(sshd.address()).contains("does not let " + System.getProperty("user.name") + " in with the key "));
            Files.writeString(folder.resolve("key"), "no key");
            assertTrue(refusal(sshd.address()).contains("the key " + folder.resolve("key") + " cannot be used"));
            Files.delete(folder.resolve("key"));
            assertTrue(refusal(sshd.address()).contains("the key " + folder.resolve("key") + " cannot be used"));
        }
    }

    @Test
    void nobody_there_and_somebody_who_is_silent_are_told_in_time() throws Exception {
        var nobody = new SshAddress("127.0.0.1", Sshd.freePort(), "ada", folder.resolve("key"), new HostKey.Fingerprint("SHA256:"), "gpuq");
        assertTrue(refusal(nobody).contains("nobody listens at 127.0.0.1:" + nobody.port()));
        try (var silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            var address = new SshAddress("127.0.0.1", silent.getLocalPort(), "ada", folder.resolve("key"), nobody.hostKey(), "gpuq");
            long begin = System.nanoTime();
            String why = refusal(address);
            assertTrue(why.contains("no login at") || why.contains("no answer from"), why);
            assertTrue(System.nanoTime() - begin < Duration.ofSeconds(10).toNanos());
        }
    }

    @Test
    void a_close_does_not_wait_for_a_host_that_is_silent() throws Exception {
        try (var silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            var patient = new Deadlines(Duration.ofSeconds(50), Duration.ofSeconds(50), Duration.ofSeconds(1));
            var pair = NodeLines.ssh("n7", new SshAddress("127.0.0.1", silent.getLocalPort(), "ada", folder.resolve("key"),
                    new HostKey.Fingerprint("SHA256:"), "gpuq"), RogueNode.AUTHORITY, patient);
            var caller = Thread.ofVirtual().start(() -> assertThrows(NodeUnreachable.class, () -> pair.back().info()));
            silent.accept();
            long begin = System.nanoTime();
            pair.close();
            assertTrue(System.nanoTime() - begin < Duration.ofSeconds(5).toNanos());
            caller.interrupt();
            caller.join();
        }
    }

    @Test
    void a_host_without_the_scripts_says_so() throws Exception {
        try (var sshd = new Sshd(folder, 1)) {
            Files.delete(folder.resolve("gpuq"));
            String why = refusal(sshd.address());
            assertTrue(why.contains("No such file"), why);
        }
    }

    @Test
    void a_connection_that_breaks_is_noticed_and_the_next_call_makes_another() throws Exception {
        try (var sshd = new Sshd(folder, 1); var pair = pair(sshd.address())) {
            var job = submit(pair.down(), "exec sleep 600");
            for (int i = 0; i < 3; i++) {
                var from = pair.back().list().position();
                var watcher = Thread.ofVirtual().start(() -> assertThrows(NodeUnreachable.class, () -> pair.back().watch(from, bell -> {})));
                sshd.cut();
                watcher.join();
                Eventually.holds("it answers again", () -> answers(pair.back()) && answers(pair.down()));
            }
            sshd.kill();
            assertThrows(NodeUnreachable.class, () -> pair.down().status(job, 1));
            sshd.start();
            Eventually.holds("it answers again", () -> answers(pair.down()));
            assertEquals(Phase.RUNNING, pair.down().status(job, 1).phase());
            pair.down().cancel(job, 1);
            Eventually.holds("it ends", () -> pair.down().status(job, 1).phase() == Phase.ENDED);
        }
    }

    private static NodeLines pair(SshAddress address) {
        return NodeLines.ssh("n7", address, RogueNode.AUTHORITY, SHORT);
    }

    private static String refusal(SshAddress address) {
        try (var pair = pair(address)) {
            return assertThrows(NodeUnreachable.class, () -> pair.back().info()).getMessage();
        }
    }

    private static boolean answers(Node node) {
        try {
            return node.info().slots() == 1;
        } catch (NodeUnreachable e) {
            return false;
        }
    }

    /** A job, down and back. */
    private static void goesThrough(NodeLines pair) throws Exception {
        BlockingQueue<Bell> bells = new LinkedBlockingQueue<>();
        var from = pair.back().list().position();
        var watcher = Thread.ofVirtual().start(() -> assertThrows(NodeUnreachable.class, () -> pair.back().watch(from, bells::add)));
        String text = "x".repeat(300_000);
        var job = submit(pair.down(), "head -c 300000 /dev/zero | tr '\\0' x >results.jsonl");
        for (Bell bell = bells.poll(20, TimeUnit.SECONDS);
                !(bell instanceof Bell.Event event && event.phase() == Phase.ENDED); bell = bells.poll(20, TimeUnit.SECONDS)) {
            assertTrue(bell != null, "no bell for the end of the job");
        }
        assertEquals(text, new String(pair.back().fetch(job, 1, "results", 0, 1 << 20), UTF_8));
        pair.back().release(job, 1);
        assertTrue(pair.down().list().jobs().isEmpty());
        pair.close();
        watcher.join();
    }

    private static UUID submit(Node node, String body) throws IOException {
        var job = UUID.randomUUID();
        var files = new LinkedHashMap<String, byte[]>();
        files.put("job", ("job %s\nattempt 1\norigin server\nuser ada\ntemplate script\ngpus 1\npriority 0\nexpected_time 60\n"
                + "time_limit 600\nsubmitted_at 1763400000123456\n").formatted(job).getBytes(UTF_8));
        files.put("launch.sh", ("#!/usr/bin/env bash\n" + body + "\n").getBytes(UTF_8));
        node.submit(new Bundle(job, 1, files));
        return job;
    }
}
