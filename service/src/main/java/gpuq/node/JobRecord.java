package gpuq.node;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
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
        Duration timeLimit,
        Instant submittedAt,
        long seq,
        Phase phase,
        Optional<Instant> startedAt,
        Optional<Instant> endedAt,
        Optional<Ending> ending) {

    /** More slots than any host has. */
    private static final int MOST_GPUS = 1024;

    public enum Phase { WAITING, STARTING, RUNNING, ENDED }

    public enum How { EXITED, TIME_LIMIT, CANCELLED, WITHDRAWN, SYSTEM }

    /**
     * How it ended.
     *
     * @param reason the node's code for a system failure
     * @param detail its sentence
     * @param results of {@code results.jsonl}, if it was written
     */
    public record Ending(How how, OptionalInt exitCode, String reason, String detail, Optional<Sealed> results, long stderrSize) {
        static Ending read(Fields fields) {
            OptionalLong code = fields.maybeNumber("exit_code", 0, 255);
            return new Ending(
                    fields.oneOf(How.class, "outcome"),
                    code.isEmpty() ? OptionalInt.empty() : OptionalInt.of((int) code.getAsLong()),
                    fields.sentence("reason"),
                    fields.sentence("detail"),
                    Sealed.read(fields),
                    fields.maybeNumber("stderr_size", 0, Long.MAX_VALUE).orElse(0));
        }
    }

    /** @param sha256 lower-case hex */
    public record Sealed(long size, String sha256) {
        static Optional<Sealed> read(Fields fields) {
            if (fields.maybe("results_size").isEmpty() && fields.maybe("results_sha256").isEmpty()) {
                return Optional.empty();
            }
            String hash = fields.text("results_sha256");
            if (!hash.matches("[0-9a-f]{64}")) {
                throw new Lie("results_sha256: '%s' is not a hash", Protocol.quotable(hash));
            }
            return Optional.of(new Sealed(fields.number("results_size", 0, Long.MAX_VALUE), hash));
        }
    }

    /** Whether it ended before the node ever saw it, or is all that is left of it there. */
    public boolean tombstone() {
        return phase == Phase.ENDED && user.isEmpty();
    }

    /** The one record of a body, which must be this job's. */
    static JobRecord read(byte[] body, UUID job, int attempt) {
        JobRecord record = read(Fields.single(body));
        if (!record.job.equals(job) || record.attempt != attempt) {
            throw new Lie("job: it is about %s, attempt %d", record.job, record.attempt);
        }
        return record;
    }

    /** A job that ended before the node ever saw it (a tombstone) has no facts; every other has them all. */
    static JobRecord read(Fields fields) {
        Phase phase = fields.oneOf(Phase.class, "state");
        boolean tombstone = phase == Phase.ENDED && fields.maybe("user").isEmpty();
        return new JobRecord(
                fields.job("job"),
                fields.count("attempt", 1),
                tombstone ? "server" : fields.text("origin"),
                tombstone ? "" : fields.name("user"),
                fields.maybeName("competition"),
                tombstone ? 1 : (int) fields.number("gpus", 1, MOST_GPUS),
                tombstone ? 0 : (int) fields.number("priority", -100, 100),
                tombstone ? Duration.ZERO : fields.seconds("expected_time"),
                tombstone ? Duration.ZERO : fields.seconds("time_limit"),
                tombstone ? Instant.EPOCH : fields.moment("submitted_at"),
                fields.number("seq", 1, Long.MAX_VALUE),
                phase,
                fields.maybeMoment("started_at"),
                fields.maybeMoment("ended_at"),
                phase == Phase.ENDED ? Optional.of(Ending.read(fields)) : Optional.empty());
    }
}
