package gpuq.placement;

import java.time.Instant;
import java.util.Optional;

/**
 * Whether a node takes work, as one server tells it to another.
 *
 * @param status as in {@link NodeView}
 * @param reason why it takes none
 */
public record Standing(String status, Optional<String> reason, Instant since) {}
