package gpuq.placement;

import gpuq.job.Job;
import gpuq.job.State;
import gpuq.job.Submission;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;

/**
 * An unended job as placement sees it, the server's own or an operator's.
 *
 * @param operators whether an operator submitted it on the node: it stays there
 * @param competition whose data it needs
 * @param node the only node that may have it; nothing for any
 * @param failedOn the nodes that have failed it
 * @param startedAt when it began to run, by the node's clock
 * @param takenAt when its place was taken for a row that may not be there yet; long ago for what is known
 */
public record Work(
        UUID job,
        int gpus,
        Duration expected,
        Instant submittedAt,
        int priority,
        boolean operators,
        Optional<String> competition,
        OptionalInt node,
        Set<Integer> failedOn,
        Optional<Instant> startedAt,
        Instant takenAt) {

    private static final Duration WORTH_OF_A_POINT = Duration.ofMinutes(10);

    /** The order in which a node starts waiting jobs: a point of priority is worth ten minutes, so everybody's turn comes. */
    static final Comparator<Work> TURN = Comparator.comparing(Work::turn).thenComparing(Work::job);

    /** @param failedOn the nodes that have failed it */
    public static Work of(Job job, Set<Integer> failedOn) {
        Optional<Instant> startedAt = job.state() instanceof State.Running running ? Optional.of(running.startedAt()) : Optional.empty();
        return of(job.id(), job.submission(), job.createdAt(), failedOn, startedAt);
    }

    static Work of(UUID job, Submission submission, Instant submittedAt, Set<Integer> failedOn, Optional<Instant> startedAt) {
        return new Work(job, submission.gpus(), submission.expectedTime(), submittedAt, submission.priority(),
                submission.userId().equals(Submission.OPERATOR), submission.competitionId(), submission.node(), failedOn, startedAt, Instant.EPOCH);
    }

    private Instant turn() {
        return submittedAt.minus(WORTH_OF_A_POINT.multipliedBy(priority));
    }

    boolean waiting() {
        return startedAt.isEmpty();
    }

    Work started(Instant at) {
        return new Work(job, gpus, expected, submittedAt, priority, operators, competition, node, failedOn, Optional.of(at), takenAt);
    }

    Work taken(Instant at) {
        return new Work(job, gpus, expected, submittedAt, priority, operators, competition, node, failedOn, startedAt, at);
    }

    /** Slots times estimate. */
    Duration slotTime() {
        return expected.multipliedBy(gpus);
    }

    /** What is left of its estimate; nothing once it has outlived that. */
    Duration left(Instant now) {
        Duration left = startedAt.map(at -> expected.minus(Duration.between(at, now))).orElse(expected);
        return left.isNegative() ? Duration.ZERO : left;
    }
}
