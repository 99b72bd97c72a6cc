package gpuq.job;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * Which jobs to list, newest first.
 *
 * @param limit 1 to 1000
 * @param before only jobs behind this place in the order
 */
public record JobFilter(Optional<String> userId, Optional<Status> status, int limit, Optional<Place> before) {

    /** A place in the order (createdAt, id), both descending. */
    public record Place(Instant createdAt, UUID id) {}
}
