package gpuq.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import gpuq.node.Node.Bell;
import gpuq.node.Node.JournalPosition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class WatchTest {
    private static final JournalPosition START = new JournalPosition("g1", 40);
    private static final UUID JOB = UUID.fromString("550e8400-e29b-41d4-a716-446655440000");

    @TempDir
    Path folder;

    private final List<Bell> bells = new ArrayList<>();

    @AfterEach
    void no_process_is_left() throws Exception {
        Children.awaitNone();
    }

    private String follow(String script) throws Exception {
        var node = new ConnectedNode("n7", RogueNode.transport(folder, script), RogueNode.AUTHORITY, RogueNode.deadlines(Duration.ofSeconds(20)));
        return assertThrows(NodeUnreachable.class, () -> node.watch(START, bells::add)).getMessage();
    }

    @Test
    void bells_are_heard_until_the_channel_ends() throws Exception {
        assertEquals("node n7: its watch ended", follow("""
                greet watch; echo journal g1 40; echo beat 1763400000123456; echo news from a newer node
                echo event g1 90 550e8400-e29b-41d4-a716-446655440000 2 5 ended; echo beat 1763400000123456
                """));
        var behind = new JournalPosition("g1", 90);
        assertEquals(List.of(new Bell.Beat(START), new Bell.Event(behind, JOB, 2, 5, JobRecord.Phase.ENDED), new Bell.Beat(behind)), bells);
    }

    @Test
    void another_position_than_asked_for_is_a_gap() throws Exception {
        follow("greet watch; echo journal g2 0");
        assertEquals(List.of(new Bell.Gap(new JournalPosition("g2", 0))), bells);
    }

    @Test
    void the_position_and_the_beat_are_asked_for() throws Exception {
        assertEquals("node n7: its watch ended (watch --from g1:40 --beat 1)", follow("greet watch; echo \"$@\" >&2"));
    }

    @ParameterizedTest
    @CsvSource({
        "event g1 90 550e8400-e29b-41d4-a716-44665544000X 2 5 ended",
        "event g1 90 550e8400-e29b-41d4-a716-446655440000 99999999999 5 ended",
        "event g1 90 550e8400-e29b-41d4-a716-446655440000 2 5 done",
        "journal g1",
    })
    void a_lie_ends_it(String line) throws Exception {
        assertEquals("node n7: its watch said '%s'".formatted(line), follow("greet watch; echo '%s'; cat".formatted(line)));
        assertEquals(List.of(), bells);
    }

    @Test
    void a_flood_without_a_newline_ends_it() throws Exception {
        assertEquals("node n7: a line of more than 1024 bytes: '" + "x".repeat(500) + "…'", follow("greet watch; tr '\\0' x </dev/zero"));
    }

    @Test
    void three_missed_beats_end_it() throws Exception {
        assertEquals("node n7: its watch has been silent for 3 s", follow("greet watch; echo journal g1 40; exec cat"));
    }

    @Test
    void a_listener_that_throws_ends_it() throws Exception {
        var node = new ConnectedNode("n7", RogueNode.transport(folder, "greet watch; while :; do echo beat 1; done"), RogueNode.AUTHORITY, Deadlines.USUAL);
        assertThrows(ArithmeticException.class, () -> node.watch(START, bell -> {
            throw new ArithmeticException();
        }));
    }

    @Test
    void close_ends_it() throws Exception {
        var node = new ConnectedNode("n7", RogueNode.transport(folder, "greet watch; while :; do echo beat 1; done"), RogueNode.AUTHORITY, Deadlines.USUAL);
        var end = assertThrows(NodeUnreachable.class, () -> node.watch(START, bell -> node.close()));
        assertEquals("node n7: the server closed the watch", end.getMessage());
    }
}
