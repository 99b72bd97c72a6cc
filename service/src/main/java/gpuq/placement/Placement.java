package gpuq.placement;

import gpuq.job.Submission;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The rule: the shortest queue per slot, then the least work per slot, then the lowest node id, among active nodes that can hold the job. A node
 * that has failed the job before comes last. A job that wants one node gets that one or none.
 */
final class Placement {

    private Placement() {}

    /** @param failedOn the nodes that have failed the job */
    static Choice choose(Collection<Seat> seats, Submission submission, Set<Integer> failedOn, Instant now) {
        List<Seat> wanted = seats.stream().filter(s -> s.isWanted(submission.node())).toList();
        if (wanted.isEmpty() && submission.node().isPresent()) {
            return new Choice.NoSuchNode();
        }
        List<Seat> withData = wanted.stream().filter(s -> s.has(submission.competitionId())).toList();
        if (withData.isEmpty()) {
            return nobodyHasTheData(wanted);
        }
        int most = withData.stream().mapToInt(Seat::slots).max().orElseThrow();
        if (most > 0 && submission.gpus() > most) {
            return new Choice.TooLarge(most);
        }
        return best(withData, submission.gpus(), failedOn, now)
                .<Choice>map(s -> new Choice.On(s.id))
                .orElseGet(() -> new Choice.NobodyActive("No node can take it now: " + conditions(withData) + ".", false));
    }

    /** @param seats the nodes that have the data */
    static Optional<Seat> best(Collection<Seat> seats, int gpus, Set<Integer> failedOn, Instant now) {
        List<Seat> able = seats.stream().filter(s -> s.canTake(gpus)).toList();
        List<Seat> untried = able.stream().filter(s -> !failedOn.contains(s.id)).toList();
        return least(untried.isEmpty() ? able : untried, now);
    }

    /** The work is reckoned once for each, and only where the queues are equal. */
    private static Optional<Seat> least(List<Seat> able, Instant now) {
        double shortest = able.stream().mapToDouble(Seat::queuePerSlot).min().orElse(0);
        return able.stream()
                .filter(s -> s.queuePerSlot() == shortest)
                .map(s -> Map.entry(s, s.workPerSlot(now)))
                .min(Map.Entry.<Seat, Duration>comparingByValue().thenComparing(entry -> entry.getKey().id))
                .map(Map.Entry::getKey);
    }

    /** A node that has never spoken may have the data: as long as there is one, nobody can say that the competition is unknown. */
    private static Choice nobodyHasTheData(Collection<Seat> seats) {
        List<Seat> silent = seats.stream().filter(s -> s.capacity.isEmpty()).toList();
        return silent.isEmpty()
                ? new Choice.NobodyHasTheData()
                : new Choice.NobodyActive("Not every node has said yet which data it has: " + conditions(silent) + ".", true);
    }

    private static String conditions(List<Seat> seats) {
        return seats.stream()
                .map(s -> "node %d is %s%s".formatted(s.id, s.status(), s.reason().map(r -> " (" + r + ")").orElse("")))
                .collect(Collectors.joining("; "));
    }
}
