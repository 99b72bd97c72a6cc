package gpuq.sync;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.job.Outcome;
import gpuq.job.Reason;
import gpuq.job.Status;
import gpuq.node.JobRecord.Ending;
import gpuq.node.JobRecord.How;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** The table "What a status means", a line a test. */
class VerdictTest {
    private static final String SCORED = """
            {"success": true, "exit_code": 0, "timed_out": false, "valid_solution": true, "test_fitness": 0.7,
             "grading_report": {"score": 0.7, "submission_exists": true}}""";

    @Test
    void a_score_makes_a_job_completed() {
        assertEquals(new Outcome.Completed(0), graded(0, SCORED));
    }

    @Test
    void a_solution_that_crashed_failed_for_its_own_reason_with_its_last_line() {
        Outcome.Failed failed = failed(graded(0, """
                {"success": false, "exit_code": 1, "timed_out": false, "valid_solution": false,
                 "error_output": ["Traceback\\n", "ValueError: no\\u0007 pizza\\n\\n", "grade_code: the solution exited with status 1"], "grading_report": {"score": null}}"""));
        assertEquals(Reason.SOLUTION_CRASHED, failed.because());
        assertEquals("The solution ended with exit code 1: ValueError: no  pizza.", failed.detail());
        assertEquals(OptionalInt.of(0), failed.exitCode());
    }

    @Test
    void no_submission_is_the_solutions_fault() {
        assertEquals(Reason.NO_SUBMISSION, failed(graded(0, """
                {"success": true, "valid_solution": false, "grading_report": {"score": null, "submission_exists": false}}""")).because());
    }

    @Test
    void an_invalid_submission_is_the_solutions_fault_and_the_grader_says_why() {
        Outcome.Failed failed = failed(graded(0, """
                {"success": true, "valid_solution": false, "error_output": ["a warning", "grade_code: submission.csv is not UTF-8"],
                 "grading_report": {"score": null, "submission_exists": true}}"""));
        assertEquals(Reason.INVALID_SUBMISSION, failed.because());
        assertEquals("The submission could not be graded: submission.csv is not UTF-8.", failed.detail());
    }

    @Test
    void a_solution_out_of_time_reached_the_time_limit() {
        assertEquals(Reason.TIME_LIMIT, failed(graded(0, """
                {"success": false, "timed_out": true, "valid_solution": false}""")).because());
        assertEquals(Reason.TIME_LIMIT, failed(Verdict.of(ending(How.TIME_LIMIT, 143, ""), true, Optional.empty())).because());
    }

    @Test
    void a_grader_that_breaks_is_a_fault_of_the_system() {
        assertEquals(Reason.GRADER_FAILED, failed(graded(0, "{\"error\": \"no leaderboard\", \"success\": false}")).because());
        assertEquals(Reason.GRADER_FAILED, failed(graded(0, "{\"success\": tr")).because());
        assertEquals(Reason.GRADER_FAILED, failed(graded(1, "")).because());
        assertEquals(Reason.GRADER_FAILED, failed(graded(1, "[1]")).because());
        assertEquals(Optional.empty(), GradeDocument.read(new byte[] {0, '{', 0, 0}), "it looks like UCS-4");
        assertEquals(Optional.empty(), GradeDocument.read(new byte[] {(byte) 0xFE, (byte) 0xFF, 0, 0}));
        assertEquals(Reason.Fault.SYSTEM, Reason.GRADER_FAILED.fault());
    }

    @Test
    void a_score_that_is_no_number_is_no_score() {
        assertFalse(read("{\"valid_solution\": true, \"grading_report\": {\"score\": NaN}}").scored());
        assertFalse(read("{\"valid_solution\": true, \"grading_report\": {\"score\": null}}").scored());
        assertFalse(read("{\"valid_solution\": false, \"grading_report\": {\"score\": 0.5}}").scored());
        assertTrue(read("{\"valid_solution\": true, \"grading_report\": {\"score\": 0}, \"exec_time\": Infinity}").scored());
    }

    @Test
    void what_the_node_says_of_the_system_is_taken_over() {
        Outcome.Failed failed = failed(Verdict.of(ending(How.SYSTEM, 70, "launch_failed"), true, Optional.empty()));
        assertEquals(Reason.LAUNCH_FAILED, failed.because());
        assertEquals("a sentence", failed.detail());
    }

    @Test
    void a_cancelled_job_has_no_exit_code() {
        Outcome outcome = Verdict.of(ending(How.CANCELLED, 137, ""), true, Optional.empty());
        assertEquals(Status.CANCELLED, outcome.status());
        assertEquals(OptionalInt.empty(), outcome.exitCode());
    }

    @Test
    void a_plain_script_is_judged_by_its_exit_code() {
        assertEquals(Status.COMPLETED, Verdict.of(ending(How.EXITED, 0, ""), false, Optional.empty()).status());
        assertEquals(Reason.SCRIPT_FAILED, failed(Verdict.of(ending(How.EXITED, 3, ""), false, Optional.empty())).because());
    }

    @Test
    void hostile_documents_are_no_documents() {
        assertTrue(GradeDocument.read("[".repeat(100_000).getBytes(UTF_8)).isEmpty());
        assertTrue(GradeDocument.read(new byte[] {(byte) 0xff, 0, 1}).isEmpty());
        assertTrue(GradeDocument.read(new byte[0]).isEmpty());
        assertTrue(GradeDocument.read(("{\"error_output\": [" + "{},".repeat(5_000_000) + "{}]}").getBytes(UTF_8)).isEmpty(), "half a gigabyte as a tree");
    }

    private static Outcome graded(int exitCode, String document) {
        return Verdict.of(ending(How.EXITED, exitCode, ""), true, GradeDocument.read(document.getBytes(UTF_8)));
    }

    private static GradeDocument read(String document) {
        return GradeDocument.read(document.getBytes(UTF_8)).orElseThrow();
    }

    private static Outcome.Failed failed(Outcome outcome) {
        return (Outcome.Failed) outcome;
    }

    private static Ending ending(How how, int exitCode, String reason) {
        return new Ending(how, OptionalInt.of(exitCode), reason, "a sentence", Optional.empty(), 0);
    }
}
