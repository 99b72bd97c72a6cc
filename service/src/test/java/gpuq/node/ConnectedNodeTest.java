package gpuq.node;

import gpuq.Eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a server sees of nodes that misbehave. */
@Timeout(60)
class ConnectedNodeTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final UUID JOB = UUID.fromString("550e8400-e29b-41d4-a716-446655440000");

    @TempDir
    Path folder;

    private final List<Node> nodes = new ArrayList<>();

    private Node node(Duration answer, String script) throws Exception {
        var node = new ConnectedNode("n7", RogueNode.transport(folder, script), RogueNode.AUTHORITY, RogueNode.deadlines(answer));
        nodes.add(node);
        return node;
    }

    private Node node(String script) throws Exception {
        return node(LONG, script);
    }

    @AfterEach
    void no_process_is_left() throws Exception {
        nodes.forEach(Node::close);
        Children.awaitNone();
    }

    private static String unreachable(Callable<?> call) {
        return assertThrows(NodeUnreachable.class, call::call).getMessage();
    }

    private static Bundle bundle(int size) {
        var files = new LinkedHashMap<String, byte[]>();
        files.put("job", new byte[size]);
        return new Bundle(JOB, 1, files);
    }

    @Test
    void what_a_login_shell_prints_before_the_greeting_is_skipped() throws Exception {
        var node = node("""
                echo 'Welcome to GPUQ 1!'
                head -c 30000 /dev/urandom | tr -d '\\n'
                printf '\\n\\033]0;gpu01\\007'
                greet
                while hear; do say 0 "$info"; done
                """);
        assertEquals("5p", node.info().spool());
    }

    @Test
    void a_flood_instead_of_a_greeting_ends_after_a_bounded_number_of_bytes() throws Exception {
        assertTrue(unreachable(node("tr '\\0' x </dev/zero")::info).startsWith("node n7: a line of more than 65536 bytes: 'xxx"));
    }

    @Test
    void endless_lines_instead_of_a_greeting_end_after_a_bounded_number_of_bytes() throws Exception {
        assertEquals("node n7: no greeting in its first 65536 bytes", unreachable(node("yes 1234567")::info));
    }

    @ParameterizedTest
    @CsvSource({
        "GPUQ 2 serve spool=5p boot=b version=9 epoch=0, 'it speaks version 2 of the node protocol, this server speaks version 1'",
        "GPUQ 1 serve boot=b version=9 epoch=0, its greeting has no spool: 'boot=b version=9 epoch=0'",
        "GPUQ 1 serve spool=5p boot=b version=9 epoch=soon, its greeting has the epoch 'soon'",
    })
    void a_greeting_of_another_kind_is_named(String greeting, String complaint) throws Exception {
        assertEquals("node n7: " + complaint, unreachable(node("echo '%s'; cat >/dev/null".formatted(greeting))::info));
    }

    @Test
    void a_silent_login_is_given_up_after_the_deadline() throws Exception {
        var transport = RogueNode.transport(folder, "trap '' TERM; while :; do read -r -t 100 <> <(:); done");
        var node = new ConnectedNode("n7", transport, RogueNode.AUTHORITY, new Deadlines(Duration.ofMillis(200), LONG, Duration.ofSeconds(1)));
        nodes.add(node);
        assertEquals("node n7: no greeting within 0.2 s", unreachable(node::info));
    }

    @Test
    void what_is_large_has_time_by_its_size_on_a_slow_link() throws Exception {
        var transport = RogueNode.transport(folder, """
                pause() { read -r -t 1 <> <(:); }
                greet
                hear; head -c 4096 >/dev/null; pause; printf '%s 66 0\n' "$tag"
                hear; printf '%s 0 3072\n' "$tag"; pause; printf '%03072d' 0
                cat >/dev/null
                """);
        var node = new ConnectedNode("n7", transport, RogueNode.AUTHORITY, RogueNode.deadlines(Duration.ofMillis(600)).overALink());
        nodes.add(node);
        assertEquals(66, assertThrows(NodeRefused.class, () -> node.submit(bundle(4096 - "file job 4080\n\n".length()))).code());
        assertEquals(3072, node.fetch(JOB, 1, "results", 0, 4096).length);
        assertEquals("node n7: no answer to 'info' within 0.6 s", unreachable(node::info));
    }

    @Test
    void a_command_that_is_not_there_is_told_with_the_last_line_of_stderr() {
        var node = NodeLines.local("n7", folder.resolve("nowhere/gpuq"), folder.resolve("gpuq.conf"), RogueNode.AUTHORITY, Deadlines.USUAL).down();
        nodes.add(node);
        String message = unreachable(node::info);
        assertTrue(message.startsWith("node n7: the conversation ended (setsid:") && message.contains("nowhere/gpuq"), message);
    }

    @Test
    void a_node_that_complains_without_end_is_still_heard() throws Exception {
        var node = node("""
                head -c 3000000 /dev/zero | tr '\\0' e >&2; yes complaint | head -c 3000000 >&2
                greet; hear; say 0 "$info"; hear; echo 'gpuq: the disk is gone' >&2
                """);
        assertEquals(1, node.info().slots());
        assertEquals("node n7: the conversation ended (gpuq: the disk is gone)", unreachable(node::info));
    }

    @Test
    void a_refusal_carries_the_code_and_the_sentence_made_harmless() throws Exception {
        var node = node("greet; while hear; do say 69 $'draining: \\033[31mnew fans\\n'; done");
        var refused = assertThrows(NodeRefused.class, () -> node.submit(bundle(10)));
        assertEquals(69, refused.code());
        assertEquals("draining:  [31mnew fans", refused.getMessage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "echo 'Segmentation fault'                         | 'Segmentation fault' instead of an answer",
        "echo 1234 0 0                                     | '1234 0 0' instead of an answer",
        "echo \"$tag 0 99999999\"                          | an answer of 99999999 bytes to 'info'",
        "echo \"$tag 69 99999\"                            | an answer of 99999 bytes to 'info'",
        "tr '\\0' x </dev/zero                             | a line of more than 64 bytes: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
        "head -c 20 < <(say 0 \"$info\")                   | the conversation ended",
        "say 0 \"${info/slots 1/slots -1}\"                | the answer to 'info' is not as the protocol says: slots: -1 is not between 0 and 1024",
        "say 0 \"${info/spool 5p/}\"                       | the answer to 'info' is not as the protocol says: 2 records instead of one",
        "say 0 \"${info/boot b7/shoe b7}\"                 | the answer to 'info' is not as the protocol says: boot: missing",
        "say 0 \"$info$info\"                              | the answer to 'info' is not as the protocol says: spool: said 2 times",
        "say 0 '\u0001\u0002'                              | the answer to 'info' is not as the protocol says: '' is not a line of a record",
    })
    void a_lie_is_named_and_the_next_call_finds_the_node_again(String lie, String complaint) throws Exception {
        var node = node("greet; hear; if [[ -e %1$s/told ]]; then say 0 \"$info\"; cat >/dev/null; else touch %1$s/told; %2$s; fi".formatted(folder, lie));
        assertEquals("node n7: " + complaint, unreachable(node::info));
        assertEquals("b7", again(node).boot());
    }

    /** A wrong body leaves the conversation as it is, so the script above may have to be asked once more. */
    private static NodeRecord again(Node node) {
        try {
            return node.info();
        } catch (NodeUnreachable e) {
            return node.info();
        }
    }

    @Test
    void an_answer_about_another_job_is_a_lie() throws Exception {
        var node = node("""
                greet; hear; say 0 $'job 00000000-0000-0000-0000-000000000000\\nattempt 1\\nseq 1\\nstate ended\\noutcome cancelled\\n'; cat
                """);
        assertTrue(assertThrows(Unreadable.class, () -> node.status(JOB, 1)).getMessage()
                .endsWith("job: it is about 00000000-0000-0000-0000-000000000000, attempt 1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"known %1$s 1\\nknown %1$s 2\\n", "known %2$s 1\\n", "known %1$s 0\\n", "known %1$s 1234567890\\n", "known\\n"})
    void of_the_latest_attempts_only_those_are_heard_that_were_asked_for_once_each(String lie) throws Exception {
        var node = node("greet; hear; head -c 74 >/dev/null; say 0 $'%s'; cat >/dev/null".formatted(lie.formatted(JOB, UUID.randomUUID())));
        assertTrue(unreachable(() -> node.latest(Set.of(JOB, UUID.randomUUID()))).contains("the answer to 'latest' is not as the protocol says"));
    }

    @Test
    void a_late_answer_ends_the_conversation_for_everybody_who_waits() throws Exception {
        var node = node(Duration.ofMillis(300), "greet; while hear; do :; done");
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var calls = new ArrayList<Future<NodeRecord>>();
            for (int i = 0; i < 50; i++) {
                calls.add(threads.submit(node::info));
            }
            for (var call : calls) {
                var cause = assertThrows(ExecutionException.class, call::get).getCause();
                assertEquals("node n7: no answer to 'info' within 0.3 s", assertInstanceOf(NodeUnreachable.class, cause).getMessage());
            }
        }
    }

    @Test
    void the_deadline_counts_from_a_commands_turn() throws Exception {
        var node = node(Duration.ofSeconds(2), "greet; while hear; do read -r -t 0.1 <> <(:); say 0 \"$info\"; done");
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var calls = new ArrayList<Future<NodeRecord>>();
            for (int i = 0; i < 30; i++) { // three seconds of work
                calls.add(threads.submit(node::info));
            }
            for (var call : calls) {
                assertEquals(1, call.get().slots());
            }
        }
    }

    @Test
    void a_frozen_node_holds_nobody_who_writes() throws Exception {
        var node = node(Duration.ofMillis(300), "greet; kill -STOP $$");
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var calls = new ArrayList<Future<JobRecord>>();
            for (int i = 0; i < 5; i++) {
                calls.add(threads.submit(() -> node.submit(bundle(1 << 20))));
            }
            for (var call : calls) {
                assertInstanceOf(NodeUnreachable.class, assertThrows(ExecutionException.class, call::get).getCause());
            }
        }
    }

    @Test
    void after_a_kill_in_the_middle_of_a_command_the_next_call_goes_on() throws Exception {
        var node = node("""
                greet; hear; if [[ -e %1$s/killed ]]; then say 0 "$info"; cat; else touch %1$s/killed; kill -9 $$; fi
                """.formatted(folder));
        assertEquals("node n7: the conversation ended", unreachable(node::info));
        assertEquals(1, node.info().slots());
    }

    @Test
    void a_thousand_commands_under_way_get_their_own_answers() throws Exception {
        var node = node("greet; while hear; do set -- $words; say 0 \"$verb $1 $2 $4\"; done");
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var calls = new ArrayList<Future<byte[]>>();
            for (int i = 0; i < 1000; i++) {
                int offset = i;
                calls.add(threads.submit(() -> node.fetch(JOB, 1, "results", offset, 100)));
            }
            for (int i = 0; i < 1000; i++) {
                assertEquals("fetch " + JOB + " 1 " + i, new String(calls.get(i).get(), UTF_8));
            }
        }
    }

    @Test
    void a_submit_arrives_byte_for_byte() throws Exception {
        var node = node("""
                greet; hear; head -c "${words##* }" >%s/heard; say 75 'full'; cat >/dev/null
                """.formatted(folder));
        var files = new LinkedHashMap<String, byte[]>();
        files.put("job", "ü\n".getBytes(UTF_8));
        files.put("launch.sh", "\0'".getBytes(UTF_8));
        assertThrows(NodeRefused.class, () -> node.submit(new Bundle(JOB, 3, files)));
        assertEquals("file job 3\nfile launch.sh 2\n\nü\n\0'", Files.readString(folder.resolve("heard")));
    }

    @Test
    void a_child_is_told_its_configuration_and_none_of_the_servers_secrets() throws Exception {
        var node = node("greet; hear; say 64 \"$(compgen -e | sort | tr '\\n' ' ')$GPUQ_CONF\"");
        String told = assertThrows(NodeRefused.class, node::info).getMessage();
        assertTrue(told.endsWith(folder.resolve("gpuq.conf").toString()), told);
        assertFalse(told.contains("JAVA_HOME"), told);
    }

    @Test
    void a_ctrl_c_on_the_servers_terminal_does_not_reach_a_child() throws Exception {
        var node = node("greet; hear; read -r _ _ _ _ group session _ <\"/proc/$$/stat\"; say 64 \"$$ $group $session\"");
        String[] told = assertThrows(NodeRefused.class, node::info).getMessage().split(" ");
        assertEquals(List.of(told[0], told[0]), List.of(told[1], told[2]));
    }

    @Test
    void close_ends_calls_that_wait_and_children_that_would_not_go() throws Exception {
        var node = node("trap '' TERM HUP; greet; hear; touch %s/heard; while :; do read -r -t 100 <> <(:); done".formatted(folder));
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var call = threads.submit(node::info);
            Eventually.holds("the file is there", () -> Files.exists(folder.resolve("heard")));
            node.close();
            var cause = assertThrows(ExecutionException.class, call::get).getCause();
            assertEquals("node n7: the server closed the conversation", assertInstanceOf(NodeUnreachable.class, cause).getMessage());
        }
        assertEquals("node n7: the server has closed its connection", unreachable(node::info));
    }

    @Test
    void whoever_is_interrupted_stops_waiting_and_disturbs_nobody() throws Exception {
        var node = node("greet; hear; touch %1$s/heard; until [[ -e %1$s/go ]]; do read -r -t 0.01 <> <(:); done; say 0 \"$info\"; while hear; do say 0 \"$info\"; done".formatted(folder));
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var first = Thread.ofVirtual().start(() -> assertThrows(NodeUnreachable.class, node::info));
            Eventually.holds("the file is there", () -> Files.exists(folder.resolve("heard")));
            var second = threads.submit(node::info);
            first.interrupt();
            first.join();
            Files.createFile(folder.resolve("go"));
            assertEquals(1, second.get().slots());
        }
    }
}
