package gpuq.job;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Why a job failed: stable codes that programs may compare. A sentence for people always goes with one. */
public enum Reason {
    /** The solution ended with an error. */
    SOLUTION_CRASHED(Fault.SOLUTION),
    /** The solution ended well but wrote no {@code submission.csv}. */
    NO_SUBMISSION(Fault.SOLUTION),
    /** The submission could not be graded. */
    INVALID_SUBMISSION(Fault.SOLUTION),
    /** An operator's script ended with an error. */
    SCRIPT_FAILED(Fault.SOLUTION),
    /** The job reached its time limit. */
    TIME_LIMIT(Fault.SOLUTION),
    /** The container, its image, the data or the interpreter is missing on the node. */
    LAUNCH_FAILED(Fault.SYSTEM),
    /** The node's disk was full. */
    DISK_FULL(Fault.SYSTEM),
    /** The grader ended without a readable document. */
    GRADER_FAILED(Fault.SYSTEM),
    /** The results are larger than the server takes. */
    RESULTS_TOO_LARGE(Fault.SOLUTION),
    /** What lies on the node is not what it sealed. */
    RESULTS_DAMAGED(Fault.SYSTEM),
    /** The job ended, and its node had purged its results before this database heard of it, which came from a backup. It is not run again. */
    RESULTS_PURGED(Fault.OPERATION),
    /** The process that watched the job on the node was killed. */
    SUPERVISOR_LOST(Fault.SYSTEM),
    /** The node was restarted under the job. */
    REBOOTED(Fault.SYSTEM),
    /** The node no longer knows the job. */
    NODE_LOST(Fault.SYSTEM);

    /** Whose fault it was; only {@code SYSTEM} failures may ever be retried. */
    public enum Fault { SOLUTION, SYSTEM, OPERATION }

    private final Fault fault;

    Reason(Fault fault) {
        this.fault = fault;
    }

    public Fault fault() {
        return fault;
    }

    /** The code used in JSON, in SQL and by the nodes, such as {@code time_limit}. */
    public String code() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Reason> of(String code) {
        return Arrays.stream(values()).filter(r -> r.code().equals(code)).findFirst();
    }
}
