package gpuq.placement;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;

/**
 * How long until a job submitted now would start: the node's queue played forward in its own order, every job taking what is left
 * of its estimate. Like the node, it never lets a job overtake the head of the queue.
 */
final class WaitEstimate {

    private WaitEstimate() {}

    /** @return the time until {@code gpus} slots are free behind everything in {@code works}; zero when they are free now */
    static Duration of(int slots, Collection<Work> works, int gpus, Instant now) {
        if (slots == 0) {
            return Duration.ZERO; // nobody knows
        }
        long[] freeAt = new long[slots];
        works.stream().filter(w -> !w.waiting()).forEach(w -> occupy(freeAt, w.gpus(), w.left(now)));
        works.stream().filter(Work::waiting).sorted(Work.TURN).forEach(w -> occupy(freeAt, w.gpus(), w.left(now)));
        return Duration.ofMillis(freeAt[Math.min(gpus, slots) - 1]);
    }

    /** Takes the {@code gpus} slots that are free first; afterwards the array is in ascending order. */
    private static void occupy(long[] freeAt, int gpus, Duration time) {
        int taken = Math.min(gpus, freeAt.length);
        long start = freeAt[taken - 1];
        Arrays.fill(freeAt, 0, taken, start + time.toMillis());
        for (int i = taken; i < freeAt.length; i++) {
            freeAt[i] = Math.max(freeAt[i], start);
        }
        Arrays.sort(freeAt);
    }
}
