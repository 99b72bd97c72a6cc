package gpuq.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.dispatch.Waiting;
import gpuq.job.Attempt;
import gpuq.job.Job;
import gpuq.job.JobFilter;
import gpuq.job.JobFilter.Place;
import gpuq.job.Outcome;
import gpuq.job.Reason;
import gpuq.job.State;
import gpuq.job.Submission;
import gpuq.placement.NodeView;
import gpuq.results.Results;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bodies of answers: every field of the published documentation, in its order. */
class BodiesTest {
    private static final UUID ID = UUID.fromString("550e8400-e29b-41d4-a716-446655440000");
    private static final Instant CREATED = Instant.parse("2025-11-06T15:04:11.101052Z");
    private static final Instant STARTED = Instant.parse("2025-11-06T15:04:11.585444Z");
    private static final Instant ENDED = Instant.parse("2025-11-06T15:04:16Z");
    private static final Submission SUBMISSION =
            new Submission("sarang", "p", Optional.of("random-acts-of-pizza"), Duration.ofSeconds(60), Duration.ofDays(7), 1, 0, OptionalInt.empty());

    private static Job job(State state) {
        return new Job(ID, SUBMISSION, CREATED, 1, 0, state, Optional.empty());
    }

    private static Job ended(Outcome outcome) {
        return job(new State.Ended(OptionalInt.of(0), Optional.of(STARTED), ENDED, outcome));
    }

    private static String json(Object body) {
        return new String(Json.bytes(body), StandardCharsets.UTF_8);
    }

    @Test
    void a_submit_that_waited() {
        assertEquals(
                "{\"job_id\":\"550e8400-e29b-41d4-a716-446655440000\",\"node_id\":0,\"status\":\"completed\",\"stdout\":\"{}\\n\","
                        + "\"stderr\":\"\",\"exit_code\":0,\"started_at\":\"2025-11-06T15:04:11.585444\","
                        + "\"completed_at\":\"2025-11-06T15:04:16\"}",
                json(SubmitService.Done.of(ended(new Outcome.Completed(0)), new Results("{}\n", ""))));
    }

    @Test
    void a_submit_that_did_not_wait() {
        assertEquals(
                "{\"job_id\":\"550e8400-e29b-41d4-a716-446655440000\",\"node_id\":3,\"status\":\"pending\",\"message\":"
                        + "\"Job submitted successfully. Use /api/status/{job_id} to check progress.\","
                        + "\"created_at\":\"2025-11-06T15:04:11.101052\"}",
                json(SubmitService.Accepted.of(job(new State.Placed(3)))));
    }

    @Test
    void a_submit_that_waited_too_long() {
        assertEquals(
                "{\"job_id\":\"550e8400-e29b-41d4-a716-446655440000\",\"node_id\":0,\"status\":\"running\",\"message\":"
                        + "\"Timeout after 14400s. Job still running. Use /api/results/{job_id} to check later.\"}",
                json(SubmitService.Later.of(job(new State.Running(0, STARTED)), "Timeout after 14400s. Job still running")));
    }

    @Test
    void a_status_at_the_end() {
        assertEquals(
                "{\"job_id\":\"550e8400-e29b-41d4-a716-446655440000\",\"status\":\"completed\",\"node_id\":0,\"queue_position\":null,"
                        + "\"created_at\":\"2025-11-06T15:04:11.101052\",\"started_at\":\"2025-11-06T15:04:11.585444\","
                        + "\"completed_at\":\"2025-11-06T15:04:16\",\"exit_code\":0}",
                json(StatusService.JobStatus.of(ended(new Outcome.Completed(0)), Optional.empty(), List.of())));
    }

    @Test
    void a_status_of_a_job_that_waits_or_failed_says_why() {
        assertTrue(json(StatusService.JobStatus.of(
                        job(new State.Unplaced()), Optional.of(new Waiting(OptionalInt.of(2), "queued", "One is ahead.")), List.of()))
                .endsWith("\"node_id\":null,\"queue_position\":2,\"created_at\":\"2025-11-06T15:04:11.101052\",\"started_at\":null,"
                        + "\"completed_at\":null,\"exit_code\":null,\"reason\":\"queued\",\"detail\":\"One is ahead.\"}"));
        assertTrue(json(StatusService.JobStatus.of(
                        ended(new Outcome.Failed(Reason.TIME_LIMIT, "It took too long.", OptionalInt.of(124))), Optional.empty(), List.of()))
                .endsWith("\"exit_code\":124,\"reason\":\"time_limit\",\"detail\":\"It took too long.\"}"));
    }

    @Test
    void a_status_of_a_job_that_was_tried_before_tells_how_that_ended() {
        var rebooted = new Attempt(1, OptionalInt.of(3), Optional.of(STARTED), ENDED, "rebooted", "The node was restarted.", true);
        assertTrue(json(StatusService.JobStatus.of(job(new State.Running(0, STARTED)), Optional.empty(), List.of(rebooted)))
                .endsWith("\"exit_code\":null,\"attempts\":[{\"attempt\":1,\"node_id\":3,\"started_at\":\"2025-11-06T15:04:11.585444\","
                        + "\"ended_at\":\"2025-11-06T15:04:16\",\"reason\":\"rebooted\",\"detail\":\"The node was restarted.\"}]}"));
    }

    @Test
    void results_before_the_end_and_after_a_cancel() {
        assertEquals(
                "{\"job_id\":\"550e8400-e29b-41d4-a716-446655440000\",\"status\":\"running\",\"stdout\":null,\"stderr\":null,"
                        + "\"exit_code\":null,\"started_at\":\"2025-11-06T15:04:11.585444\",\"completed_at\":null}",
                json(ResultsService.JobResults.of(job(new State.Running(0, STARTED)), Optional.empty())));
        assertEquals(
                "{\"job_id\":\"550e8400-e29b-41d4-a716-446655440000\",\"status\":\"cancelled\",\"stdout\":\"\",\"stderr\":\"\","
                        + "\"exit_code\":null,\"started_at\":\"2025-11-06T15:04:11.585444\",\"completed_at\":\"2025-11-06T15:04:16\"}",
                json(ResultsService.JobResults.of(ended(new Outcome.Cancelled()), Optional.of(Results.NONE))));
    }

    @Test
    void a_node() {
        assertEquals(
                "{\"node_id\":0,\"ip\":\"10.221.102.181\",\"queue_length\":2,\"total_wait_time\":120,\"status\":\"active\","
                        + "\"slots\":8,\"running\":2,\"version\":\"0.1.0\",\"reason\":null,\"since\":\"2025-11-06T15:04:11.101052\",\"competitions\":[\"a\",\"b\"]}",
                json(NodesService.NodeStatus.of(new NodeView(
                        0, "10.221.102.181", 2, Duration.ofMillis(119_001), "active", Optional.empty(), CREATED, 8, 2,
                        Optional.of("0.1.0"), Set.of("b", "a")))));
    }

    @Test
    void a_page_of_jobs_and_the_way_to_the_next() {
        Job job = ended(new Outcome.Completed(0));
        String entry = "{\"jobs\":[{\"job_id\":\"550e8400-e29b-41d4-a716-446655440000\",\"user_id\":\"sarang\",\"status\":\"completed\","
                + "\"node_id\":0,\"created_at\":\"2025-11-06T15:04:11.101052\",\"completed_at\":\"2025-11-06T15:04:16\",\"competition_id\":\"random-acts-of-pizza\"}]";
        assertEquals(entry + "}", json(page(job, 2)));
        assertEquals(entry + ",\"next_cursor\":\"" + Cursor.text(job) + "\"}", json(page(job, 1)));
        assertEquals(Optional.of(new Place(CREATED, ID)), Cursor.read(Cursor.text(job)));
    }

    private static JobsService.Page page(Job job, int limit) {
        return JobsService.Page.of(List.of(job), new JobFilter(Optional.empty(), Optional.empty(), limit, Optional.empty()));
    }

    @ParameterizedTest
    @CsvSource({"x", "''", "AAAA", "*", "f______________________________w", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="})
    void a_cursor_that_is_none_is_refused(String text) {
        assertEquals(Optional.empty(), Cursor.read(text));
    }

    @ParameterizedTest
    @CsvSource({
        "2025-11-09T12:00:00Z, 2025-11-09T12:00:00",
        "2025-11-09T12:00:00.000001Z, 2025-11-09T12:00:00.000001",
        "2025-11-09T12:00:00.1Z, 2025-11-09T12:00:00.100000",
        "2025-11-09T12:00:00.000000999Z, 2025-11-09T12:00:00",
        "1970-01-01T00:00:00Z, 1970-01-01T00:00:00",
    })
    void moments_are_written_as_Python_writes_them(Instant moment, String text) {
        assertEquals(text, Moments.text(moment));
    }

    @Test
    void what_a_stranger_wrote_cannot_pass_for_a_line_of_the_log() {
        assertEquals("\"a\\\"\\u000aERROR \\u001b[31m\\u2028\\\\\"", LogSafe.quoted("a\"\nERROR \u001b[31m\u2028\\"));
    }
}
