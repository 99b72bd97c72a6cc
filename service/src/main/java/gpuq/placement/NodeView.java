package gpuq.placement;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * One node as {@code /api/nodes} shows it.
 *
 * @param queueLength jobs that wait or run there, an operator's own included
 * @param totalWait until a job of one slot submitted now would start, estimated
 * @param status {@code active}, {@code draining}, {@code drained}, {@code unhealthy}, {@code unreachable} or {@code lost}
 * @param reason why it is not active
 * @param since when it became what it is, as far as this server knows
 */
public record NodeView(
        int id,
        String ip,
        int queueLength,
        Duration totalWait,
        String status,
        Optional<String> reason,
        Instant since,
        int slots,
        int running,
        Optional<String> version,
        Set<String> competitions) {

    /** One that is not configured any more, and was given up. */
    public static NodeView gone(int id, String reason, Instant now) {
        return new NodeView(id, "", 0, Duration.ZERO, "lost", Optional.of(reason), now, 0, 0, Optional.empty(), Set.of());
    }

    public Standing standing() {
        return new Standing(status, reason, since);
    }
}
