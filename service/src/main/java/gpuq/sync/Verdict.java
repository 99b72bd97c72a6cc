package gpuq.sync;

import gpuq.job.Outcome;
import gpuq.job.Reason;
import gpuq.node.JobRecord.Ending;
import java.util.Optional;
import java.util.OptionalInt;

/** Decides the terminal status from how a job ended on its node and what its grader wrote: the table "What a status means". */
final class Verdict {

    private Verdict() {}

    /** @param document of a graded job, if it is readable */
    static Outcome of(Ending ending, boolean graded, Optional<GradeDocument> document) {
        return switch (ending.how()) {
            case CANCELLED, WITHDRAWN -> new Outcome.Cancelled();
            case TIME_LIMIT -> failed(Reason.TIME_LIMIT, "The job reached its time limit.", ending.exitCode());
            case SYSTEM -> failed(Reason.of(ending.reason()).orElse(Reason.LAUNCH_FAILED), ending.detail(), ending.exitCode());
            case EXITED -> ending.exitCode().isPresent()
                    ? exited(ending.exitCode().getAsInt(), graded, document)
                    : failed(Reason.LAUNCH_FAILED, "The node could not tell how the job ended.", OptionalInt.empty());
        };
    }

    private static Outcome exited(int exitCode, boolean graded, Optional<GradeDocument> document) {
        return graded ? ofGrader(exitCode, document) : ofScript(exitCode);
    }

    private static Outcome ofScript(int exitCode) {
        return exitCode == 0
                ? new Outcome.Completed(0)
                : failed(Reason.SCRIPT_FAILED, "The script ended with exit code %d.".formatted(exitCode), OptionalInt.of(exitCode));
    }

    /** The grader exits 0 whatever happened to the solution: only its document tells. */
    private static Outcome ofGrader(int exitCode, Optional<GradeDocument> maybe) {
        OptionalInt code = OptionalInt.of(exitCode);
        if (maybe.isEmpty()) {
            return failed(Reason.GRADER_FAILED, "The grader ended with exit code %d and left no readable results.".formatted(exitCode), code);
        }
        GradeDocument document = maybe.get();
        if (document.scored()) {
            return new Outcome.Completed(exitCode);
        }
        if (document.error().isPresent()) {
            return failed(Reason.GRADER_FAILED, "The grader failed: %s".formatted(document.error().get()), code);
        }
        if (exitCode != 0) {
            return failed(Reason.GRADER_FAILED, "The grader ended with exit code %d.".formatted(exitCode), code);
        }
        if (document.timedOut()) {
            return failed(Reason.TIME_LIMIT, "The solution reached its time limit.", code);
        }
        if (!document.succeeded()) {
            return failed(Reason.SOLUTION_CRASHED, crash(document), code);
        }
        if (!document.submissionExists()) {
            return failed(Reason.NO_SUBMISSION, "The solution ended without writing submission.csv.", code);
        }
        String why = document.remark().or(document::lastErrorLine).map(Verdict::because).orElse(".");
        return failed(Reason.INVALID_SUBMISSION, "The submission could not be graded" + why, code);
    }

    private static String crash(GradeDocument document) {
        OptionalInt code = document.solutionExitCode();
        String how = code.isPresent() ? "with exit code " + code.getAsInt() : "with an error";
        return "The solution ended " + how + document.lastErrorLine().map(Verdict::because).orElse(".");
    }

    private static String because(String line) {
        return ": " + line + (line.endsWith(".") ? "" : ".");
    }

    private static Outcome failed(Reason reason, String detail, OptionalInt exitCode) {
        return new Outcome.Failed(reason, detail, exitCode);
    }
}
