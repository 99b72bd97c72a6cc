package gpuq.node;

import java.util.Optional;
import java.util.Set;

/** What a node says of itself: the answer to {@code info}. */
public record NodeRecord(
        String spool,
        String boot,
        String version,
        int slots,
        int running,
        int waiting,
        Optional<String> template,
        Optional<String> drain,
        Set<String> competitions) {}
