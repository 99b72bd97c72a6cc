package gpuq.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MoveTest {

    /** The state machine, written down a second time; kinds with the nodes 0 and 1, {@code '} for another start. What is not listed is illegal. */
    private static final Set<String> SAME_ATTEMPT = Set.of(
            "unplaced → placed 0", "unplaced → placed 1", "unplaced → ended",
            "placed 0 → placed 1", "placed 1 → placed 0",
            "placed 0 → unplaced", "placed 1 → unplaced",
            "placed 0 → sent 0", "placed 1 → sent 1",
            "placed 0 → ended", "placed 1 → ended",
            "sent 0 → waiting 0", "sent 1 → waiting 1",
            "sent 0 → running 0", "sent 0 → running 0'", "sent 1 → running 1",
            "sent 0 → ended", "sent 1 → ended",
            "waiting 0 → running 0", "waiting 0 → running 0'", "waiting 1 → running 1",
            "waiting 0 → ended", "waiting 1 → ended",
            "running 0 → ended", "running 0' → ended", "running 1 → ended",
            // nothing but the wish to cancel
            "unplaced → unplaced", "placed 0 → placed 0", "placed 1 → placed 1", "sent 0 → sent 0", "sent 1 → sent 1",
            "waiting 0 → waiting 0", "waiting 1 → waiting 1", "running 0 → running 0", "running 0' → running 0'", "running 1 → running 1");

    private static final Set<String> NEW_ATTEMPT = Set.of(
            "unplaced → placed 0", "unplaced → placed 1",
            "placed 0 → unplaced", "placed 1 → unplaced", "placed 0 → placed 0", "placed 1 → placed 1", "placed 0 → placed 1", "placed 1 → placed 0",
            "sent 0 → unplaced", "sent 1 → unplaced", "sent 0 → placed 0", "sent 1 → placed 1", "sent 0 → placed 1", "sent 1 → placed 0",
            "waiting 0 → unplaced", "waiting 1 → unplaced", "waiting 0 → placed 0", "waiting 1 → placed 1", "waiting 0 → placed 1", "waiting 1 → placed 0",
            "running 0 → unplaced", "running 0' → unplaced", "running 1 → unplaced");

    @Test
    void every_pair_of_states_that_is_not_listed_is_illegal_within_an_attempt() {
        Set<String> legal = new TreeSet<>();
        for (State from : JobSamples.everyState()) {
            Job job = in(from);
            for (State to : JobSamples.everyState()) {
                if (legal(job, job.in(to))) {
                    legal.add(name(from) + " → " + name(to));
                }
            }
        }
        assertEquals(new TreeSet<>(SAME_ATTEMPT), legal);
    }

    @Test
    void every_pair_of_states_that_is_not_listed_is_illegal_with_a_new_attempt() {
        Set<String> legal = new TreeSet<>();
        for (State from : JobSamples.everyState()) {
            Job job = in(from);
            for (State to : JobSamples.everyState()) {
                if (legal(job, job.retried(to))) {
                    legal.add(name(from) + " → " + name(to));
                }
            }
        }
        assertEquals(new TreeSet<>(NEW_ATTEMPT), legal);
    }

    @Test
    void a_wish_to_cancel_can_be_recorded_in_every_state_but_the_end_and_is_kept() {
        for (State state : JobSamples.everyState()) {
            Job job = in(state);
            Job wished = job.cancelRequested(JobSamples.T0);
            assertEquals(!job.ended(), legal(job, wished), state.toString());
            if (!job.ended()) {
                Job forgotten = new Job(job.id(), job.submission(), job.createdAt(), 1, wished.version() + 1, state, Optional.empty());
                assertFalse(legal(wished, forgotten), state.toString());
                assertTrue(legal(wished, wished.in(JobSamples.ended(new Outcome.Completed(0)))), state.toString());
            }
        }
    }

    @Test
    void what_was_submitted_never_changes_and_versions_and_attempts_are_counted_one_by_one() {
        Job job = JobSamples.job();
        State to = new State.Sent(0);
        Submission asked = job.submission();
        Submission other = new Submission("mallory", asked.projectId(), asked.competitionId(), asked.expectedTime(), Duration.ofDays(1), 2, -3, OptionalInt.empty());
        assertTrue(legal(job, job.in(to)));
        assertFalse(legal(job, new Job(UUID.randomUUID(), asked, job.createdAt(), 1, 2, to, Optional.empty())));
        assertFalse(legal(job, new Job(job.id(), other, job.createdAt(), 1, 2, to, Optional.empty())));
        assertFalse(legal(job, new Job(job.id(), asked, job.createdAt().plusSeconds(1), 1, 2, to, Optional.empty())));
        assertFalse(legal(job, new Job(job.id(), asked, job.createdAt(), 1, 1, to, Optional.empty())));
        assertFalse(legal(job, new Job(job.id(), asked, job.createdAt(), 1, 3, to, Optional.empty())));
        assertFalse(legal(job, new Job(job.id(), asked, job.createdAt(), 3, 2, new State.Placed(1), Optional.empty())));
        assertFalse(legal(job, new Job(job.id(), asked, job.createdAt(), 0, 2, new State.Placed(1), Optional.empty())));
    }

    @Test
    void a_forbidden_move_names_the_job_and_the_rule() {
        Job job = in(JobSamples.ended(new Outcome.Completed(0)));
        String fault = new Move(job, job.in(new State.Unplaced())).fault().orElseThrow();
        assertTrue(fault.startsWith("job " + job.id()) && fault.endsWith("an ended job never changes"), fault);
    }

    private static Job in(State state) {
        return JobSamples.job("sarang", JobSamples.T0, state);
    }

    private static boolean legal(Job from, Job to) {
        return new Move(from, to).fault().isEmpty();
    }

    private static String name(State state) {
        return switch (state) {
            case State.Unplaced u -> "unplaced";
            case State.Placed p -> "placed " + p.on();
            case State.Sent s -> "sent " + s.on();
            case State.Waiting w -> "waiting " + w.on();
            case State.Running r -> "running " + r.on() + (r.startedAt().equals(JobSamples.T0.plusSeconds(1)) ? "" : "'");
            case State.Ended e -> "ended";
        };
    }
}
