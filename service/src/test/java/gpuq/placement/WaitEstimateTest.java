package gpuq.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class WaitEstimateTest {
    private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");

    @Test
    void an_idle_node_has_no_wait() {
        assertEquals(0, seconds(1));
    }

    @Test
    void a_running_job_counts_with_what_is_left_of_it() {
        assertEquals(40, seconds(1, running(60, 20, 1)));
    }

    @Test
    void a_job_that_outlived_its_estimate_counts_nothing() {
        assertEquals(0, seconds(1, running(60, 300, 1)));
    }

    @Test
    void waiting_jobs_follow_one_another_on_one_slot() {
        assertEquals(160, seconds(1, running(60, 20, 1), waiting(60, 1), waiting(60, 1)));
    }

    @Test
    void slots_work_side_by_side() {
        assertEquals(60, seconds(2, waiting(60, 1), waiting(100, 1)));
    }

    @Test
    void nothing_overtakes_a_wide_job_at_the_head() {
        assertEquals(160, seconds(2, running(60, 0, 1), waiting(100, 2)));
    }

    private static long seconds(int slots, Work... works) {
        return WaitEstimate.of(slots, List.of(works), 1, NOW).toSeconds();
    }

    private static Work running(int expected, int ago, int gpus) {
        return new Work(UUID.randomUUID(), gpus, Duration.ofSeconds(expected), NOW, 0, false, Optional.empty(), OptionalInt.empty(), Set.of(), Optional.of(NOW.minusSeconds(ago)), Instant.EPOCH);
    }

    private static Work waiting(int expected, int gpus) {
        return new Work(UUID.randomUUID(), gpus, Duration.ofSeconds(expected), NOW, 0, false, Optional.empty(), OptionalInt.empty(), Set.of(), Optional.empty(), Instant.EPOCH);
    }
}
