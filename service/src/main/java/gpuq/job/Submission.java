package gpuq.job;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a user asked for, checked by {@code api} before it gets here.
 *
 * @param userId who asked: an id, {@code [A-Za-z0-9][A-Za-z0-9._-]{0,63}}
 * @param projectId the user's own label: an id
 * @param competitionId what to grade against: an id; nothing for a plain script, which only an operator submits
 * @param expectedTime the user's estimate, 1 second to 30 days; it ends nothing
 * @param timeLimit after which the job is ended, 1 second to 30 days; the site's when the user named none
 * @param gpus slots the job takes, at least 1
 * @param priority −100 to 100; a point is worth ten minutes of waiting
 * @param node the only node that it may run on; nothing for any
 */
public record Submission(
        String userId,
        String projectId,
        Optional<String> competitionId,
        Duration expectedTime,
        Duration timeLimit,
        int gpus,
        int priority,
        OptionalInt node) {

    /** The user of jobs that were submitted by hand on a node; nobody has a token of this name. */
    public static final String OPERATOR = "operator";

    /**
     * What makes a repeated submit the same submit.
     *
     * @param value the client's {@code Idempotency-Key}
     * @param bodySha256 lower-case hex over everything that the client sent
     */
    public record Key(String value, String bodySha256) {}

    /**
     * A submission as it came in.
     *
     * @param code the solution's source text
     */
    public record Form(Submission submission, String code, Optional<Key> key) {}
}
