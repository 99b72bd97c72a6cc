package gpuq.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.job.Submission;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlacementTest {
    private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");

    private final Board board = new Board(Set.of("process"));

    @Test
    void a_thousand_parallel_submits_to_equal_nodes_differ_by_at_most_one() {
        IntStream.range(0, 3).forEach(id -> node(id, 1));

        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            IntStream.range(0, 1000).forEach(i -> threads.submit(() -> place(job(60, 1))));
        }

        Map<Integer, Integer> lengths = board.views(NOW).stream().collect(Collectors.toMap(NodeView::id, NodeView::queueLength));
        assertEquals(1000, lengths.values().stream().mapToInt(i -> i).sum());
        assertTrue(lengths.values().stream().allMatch(n -> n == 333 || n == 334), lengths::toString);
    }

    @Test
    void the_queue_is_counted_per_slot() {
        node(0, 1);
        node(1, 8);

        IntStream.range(0, 9).forEach(i -> place(job(60, 1)));

        assertEquals(1, view(0).queueLength());
        assertEquals(8, view(1).queueLength());
    }

    @Test
    void of_two_equal_queues_the_one_with_less_work_is_taken() {
        node(0, 1);
        node(1, 1);
        place(job(600, 1));
        place(job(60, 1));

        assertEquals(new Choice.On(1), place(job(60, 1)));
    }

    @Test
    void of_two_equal_nodes_the_lower_id_is_taken() {
        node(4, 1);
        node(2, 1);

        assertEquals(new Choice.On(2), place(job(60, 1)));
    }

    @Test
    void only_a_node_that_is_active_and_has_the_data_and_the_slots_is_taken() {
        node(0, 8);
        board.unreachable(0, "the network is down", NOW);
        board.add(1, "127.0.0.1", NOW);
        board.answered(1, new Capacity(8, Set.of("another"), Optional.of("process"), "1"), Optional.empty(), NOW);
        node(2, 1);
        node(3, 4);
        board.drain(3, Optional.of("repair"), NOW);
        node(4, 2);

        assertEquals(new Choice.On(4), place(job(60, 2)));
    }

    @Test
    void a_competition_is_unknown_only_when_every_node_has_spoken() {
        board.add(0, "127.0.0.1", NOW);
        Submission unknown = submission("unknown", 60, 1, 0);

        assertInstanceOf(Choice.NobodyActive.class, place(unknown));
        board.answered(0, capacity(1), Optional.empty(), NOW);
        assertInstanceOf(Choice.NobodyHasTheData.class, place(unknown));
    }

    @Test
    void a_known_competition_without_an_active_node_names_the_nodes_that_have_it() {
        node(0, 1);
        board.unreachable(0, "the network is down", NOW);

        Choice.NobodyActive nobody = assertInstanceOf(Choice.NobodyActive.class, place(job(60, 1)));
        assertTrue(nobody.why().contains("node 0 is unreachable (the network is down)"), nobody.why());
    }

    @Test
    void a_node_without_a_launch_template_takes_nothing() {
        board.add(0, "127.0.0.1", NOW);
        board.answered(0, new Capacity(1, Set.of("pizza"), Optional.empty(), "1"), Optional.empty(), NOW);

        assertInstanceOf(Choice.NobodyActive.class, place(job(60, 1)));
    }

    @Test
    void a_node_whose_launch_template_the_server_does_not_have_takes_nothing() {
        board.add(0, "127.0.0.1", NOW);
        board.answered(0, new Capacity(1, Set.of("pizza"), Optional.of("unheard-of"), "1"), Optional.empty(), NOW);

        Choice.NobodyActive nobody = assertInstanceOf(Choice.NobodyActive.class, place(job(60, 1)));
        assertTrue(nobody.why().contains("'unheard-of' is none of the server's: process"), nobody.why());
    }

    @Test
    void more_slots_than_any_node_has_are_refused_with_the_most_there_is() {
        node(0, 1);
        node(1, 4);

        assertEquals(new Choice.TooLarge(4), place(job(60, 5)));
    }

    @Test
    void a_job_that_wants_one_node_gets_that_or_none() {
        node(0, 1);
        node(1, 1);
        Submission on1 = wanting(1);

        assertEquals(new Choice.On(1), place(on1));
        assertEquals(new Choice.On(1), place(on1)); // though the other one is idle
        assertEquals(new Choice.NoSuchNode(), place(wanting(7)));
        board.drain(1, Optional.of("repair"), NOW);
        Choice.NobodyActive nobody = assertInstanceOf(Choice.NobodyActive.class, place(on1));
        assertTrue(nobody.why().contains("node 1 is drained (repair)") && !nobody.why().contains("node 0"), nobody.why());
    }

    @Test
    void a_waiting_job_that_wants_its_node_does_not_move() {
        node(0, 1);
        node(1, 1);
        place(wanting(1));
        UUID waits = UUID.randomUUID();
        board.reserve(waits, wanting(1), Set.of(), NOW, NOW);

        assertEquals(Optional.empty(), board.relieve(1, waits::equals, NOW));
        board.drain(1, Optional.of("repair"), NOW);
        assertEquals(Optional.empty(), board.relieve(1, waits::equals, NOW));
    }

    @Test
    void the_same_job_is_never_counted_twice() {
        node(0, 1);
        node(1, 1);
        UUID id = UUID.randomUUID();
        Work work = Work.of(id, job(60, 1), NOW, Set.of(), Optional.empty());

        board.take(0, work);
        board.take(1, work);

        assertEquals(0, view(0).queueLength());
        assertEquals(1, view(1).queueLength());
    }

    @Test
    void the_position_follows_priority_at_ten_minutes_a_point() {
        node(0, 1);
        UUID early = waiting(NOW.minusSeconds(599), 0);
        UUID urgent = waiting(NOW, 1);
        UUID earlier = waiting(NOW.minusSeconds(601), 0);

        assertEquals(OptionalInt.of(1), board.position(earlier));
        assertEquals(OptionalInt.of(2), board.position(urgent));
        assertEquals(OptionalInt.of(3), board.position(early));
    }

    @Test
    void a_running_job_has_no_position() {
        node(0, 1);
        UUID id = waiting(NOW, 0);

        board.started(id, NOW);

        assertEquals(OptionalInt.empty(), board.position(id));
        assertEquals(1, view(0).running());
    }

    @Test
    void a_wrong_count_is_mended_and_a_fresh_reservation_left_alone() {
        node(0, 1);
        waiting(NOW.minusSeconds(3600), 0);
        UUID fresh = UUID.randomUUID();
        board.take(0, Work.of(fresh, job(60, 1), NOW, Set.of(), Optional.empty()).taken(NOW));
        Work missed = Work.of(UUID.randomUUID(), job(60, 1), NOW.minusSeconds(3600), Set.of(), Optional.empty());

        board.correct(0, List.of(missed), NOW.minusSeconds(60));

        assertEquals(2, view(0).queueLength());
        assertTrue(board.position(fresh).isPresent());
    }

    @Test
    void a_node_that_failed_the_job_is_taken_only_if_no_other_can() {
        node(0, 1);
        node(1, 1);
        place(job(60, 1));
        place(job(60, 1));

        assertEquals(new Choice.On(1), board.reserve(UUID.randomUUID(), job(60, 1), Set.of(0), NOW, NOW));
        board.unreachable(1, "the network is down", NOW);
        assertEquals(new Choice.On(0), board.reserve(UUID.randomUUID(), job(60, 1), Set.of(0), NOW, NOW));
    }

    @Test
    void what_weighs_most_is_said_of_a_node_and_since_when() {
        node(0, 1);
        status("active", NOW);
        board.drain(0, Optional.of("a new fan"), NOW.plusSeconds(1));
        status("drained", NOW.plusSeconds(1));
        board.examined(0, Optional.of("disk: full"), NOW.plusSeconds(2));
        status("unhealthy", NOW.plusSeconds(2));
        board.examined(0, Optional.of("disk: full; clock: wrong"), NOW.plusSeconds(3));
        status("unhealthy", NOW.plusSeconds(2));
        board.unreachable(0, "the network is down", NOW.plusSeconds(4));
        status("unreachable", NOW.plusSeconds(4));
        board.lost(0, "given up", NOW.plusSeconds(5));
        board.answered(0, capacity(1), Optional.empty(), NOW.plusSeconds(6));
        status("lost", NOW.plusSeconds(5));
        board.found(0, NOW.plusSeconds(7));
        status("unhealthy", NOW.plusSeconds(7));
        board.examined(0, Optional.empty(), NOW.plusSeconds(8));
        status("active", NOW.plusSeconds(8));
    }

    @Test
    void a_drained_node_is_drained_since_its_last_job_ended() {
        node(0, 1);
        UUID last = waiting(NOW, 0);
        board.started(last, NOW);
        board.drain(0, Optional.of("repair"), NOW.plusSeconds(1));
        status("draining", NOW.plusSeconds(1));
        board.leave(last);
        board.answered(0, capacity(1), Optional.of("repair"), NOW.plusSeconds(2));
        status("drained", NOW.plusSeconds(2));
    }

    @Test
    void a_job_that_waits_moves_to_a_node_where_it_starts_at_once_the_next_one_first() {
        node(0, 1);
        board.started(waiting(NOW, 0), NOW);
        UUID next = waiting(NOW.minusSeconds(2), 0);
        waiting(NOW.minusSeconds(1), 0);
        assertEquals(Optional.empty(), board.relieve(0, job -> true, NOW));
        node(1, 1);

        assertEquals(Optional.of(new Board.Relief(next, 1)), board.relieve(0, job -> true, NOW));
        assertEquals(Optional.empty(), board.relieve(0, job -> true, NOW));
    }

    @Test
    void a_job_that_is_about_to_start_stays() {
        node(0, 1);
        node(1, 1);
        waiting(NOW, 0);

        assertEquals(Optional.empty(), board.relieve(0, job -> true, NOW));
    }

    @Test
    void what_waits_on_a_node_that_starts_nothing_moves_to_any_that_can_take_it_but_an_operators_job_stays() {
        node(0, 1);
        node(1, 1);
        place(job(60, 1));
        board.take(1, Work.of(UUID.randomUUID(), job(60, 1), NOW, Set.of(), Optional.of(NOW)));
        board.take(0, Work.of(UUID.randomUUID(), new Submission(Submission.OPERATOR, "", Optional.empty(), Duration.ofSeconds(1), Duration.ofDays(7), 1, 0, OptionalInt.empty()),
                NOW.minusSeconds(9), Set.of(), Optional.empty()));
        board.drain(0, Optional.of("repair"), NOW);

        assertEquals(OptionalInt.of(1), board.relieve(0, job -> true, NOW).stream().mapToInt(Board.Relief::to).findFirst());
        assertEquals(Optional.empty(), board.relieve(0, job -> true, NOW));
        assertEquals(1, view(0).queueLength());
    }

    @Test
    void a_job_that_has_become_too_wide_for_its_node_moves_to_any_that_can_take_it() {
        node(0, 8);
        node(1, 8);
        UUID wide = UUID.randomUUID();
        board.take(0, Work.of(wide, job(60, 8), NOW, Set.of(), Optional.empty()));
        board.take(1, Work.of(UUID.randomUUID(), job(60, 1), NOW, Set.of(), Optional.of(NOW)));
        assertEquals(Optional.empty(), board.relieve(0, job -> true, NOW));

        board.answered(0, capacity(7), Optional.empty(), NOW);
        assertEquals(Optional.of(new Board.Relief(wide, 1)), board.relieve(0, job -> true, NOW));
    }

    @Test
    void a_node_that_cannot_say_how_many_slots_it_has_takes_nothing_and_breaks_nothing() {
        board.add(0, "127.0.0.1", NOW);
        board.answered(0, capacity(0), Optional.empty(), NOW);

        assertInstanceOf(Choice.NobodyActive.class, place(job(60, 2)));
        status("unhealthy", NOW);
        assertEquals(Duration.ZERO, view(0).totalWait());
    }

    @Test
    void a_place_that_was_just_taken_is_left_alone_however_old_the_job_is() {
        node(0, 1);
        node(1, 1);
        board.started(waiting(NOW.minusSeconds(9000), 0), NOW);
        UUID old = waiting(NOW.minusSeconds(8000), 0);
        board.relieve(0, job -> true, NOW);

        board.correct(1, List.of(), NOW.minusSeconds(60));
        assertEquals(1, view(1).queueLength());
        board.correct(0, List.of(Work.of(old, job(60, 1), NOW, Set.of(), Optional.empty())), NOW.minusSeconds(60));
        assertEquals(0, view(0).queueLength(), "never on two seats");
        board.correct(1, List.of(), NOW.plusSeconds(60));
        assertEquals(0, view(1).queueLength());
    }

    private void status(String status, Instant since) {
        assertEquals(status, view(0).status());
        assertEquals(since, view(0).since());
    }

    private void node(int id, int slots) {
        board.add(id, "127.0.0.1", NOW);
        board.answered(id, capacity(slots), Optional.empty(), NOW);
    }

    private static Capacity capacity(int slots) {
        return new Capacity(slots, Set.of("pizza"), Optional.of("process"), "1");
    }

    private UUID waiting(Instant submittedAt, int priority) {
        UUID id = UUID.randomUUID();
        board.take(0, Work.of(id, submission("pizza", 60, 1, priority), submittedAt, Set.of(), Optional.empty()));
        return id;
    }

    private Choice place(Submission submission) {
        return board.reserve(UUID.randomUUID(), submission, Set.of(), NOW, NOW);
    }

    private NodeView view(int id) {
        return board.views(NOW).stream().filter(v -> v.id() == id).findFirst().orElseThrow();
    }

    private static Submission wanting(int node) {
        return new Submission("ada", "p", Optional.of("pizza"), Duration.ofSeconds(60), Duration.ofDays(7), 1, 0, OptionalInt.of(node));
    }

    private static Submission job(int expected, int gpus) {
        return submission("pizza", expected, gpus, 0);
    }

    private static Submission submission(String competition, int expected, int gpus, int priority) {
        return new Submission("ada", "p", Optional.of(competition), Duration.ofSeconds(expected), Duration.ofDays(7), gpus, priority, OptionalInt.empty());
    }
}
