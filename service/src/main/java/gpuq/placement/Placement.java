package gpuq.placement;

import gpuq.job.Submission;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** The rule: the shortest queue per slot, then the least work per slot, then the lowest node id, among active nodes that can hold the job. */
final class Placement {

    private Placement() {}

    static Choice choose(Collection<Seat> seats, Submission submission, Instant now) {
        List<Seat> withData = seats.stream().filter(s -> s.has(submission.competitionId())).toList();
        if (withData.isEmpty()) {
            return nobodyHasTheData(seats);
        }
        int most = withData.stream().mapToInt(Seat::slots).max().orElseThrow();
        if (submission.gpus() > most) {
            return new Choice.TooLarge(most);
        }
        Comparator<Seat> shortestQueue = Comparator.comparingDouble(s -> (double) s.queueLength() / s.slots());
        return withData.stream()
                .filter(s -> s.canTake(submission.gpus()))
                .min(shortestQueue.thenComparing(s -> s.workPerSlot(now)).thenComparingInt(s -> s.id))
                .<Choice>map(s -> new Choice.On(s.id))
                .orElseGet(() -> new Choice.NobodyActive("No node can take it now: " + conditions(withData) + ".", false));
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
