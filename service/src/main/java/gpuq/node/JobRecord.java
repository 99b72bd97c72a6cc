package gpuq.node;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/** What a node says of one job: its facts and its status. */
public record JobRecord(
        UUID job,
        int attempt,
        String origin,
        String user,
        Optional<String> competition,
        int gpus,
        int priority,
        Duration expectedTime,
        Instant submittedAt,
        long seq,
        Phase phase,
        Optional<Instant> startedAt,
        Optional<Instant> endedAt,
        Optional<Ending> ending) {

    public enum Phase { WAITING, STARTING, RUNNING, ENDED }

    public enum How { EXITED, TIME_LIMIT, CANCELLED, WITHDRAWN, SYSTEM }

    /**
     * How it ended.
     *
     * @param reason the node's code for a system failure
     * @param detail its sentence
     * @param results of {@code results.jsonl}, if it was written
     */
    public record Ending(How how, OptionalInt exitCode, String reason, String detail, Optional<Sealed> results, long stderrSize) {}

    /** @param sha256 lower-case hex */
    public record Sealed(long size, String sha256) {}
}
