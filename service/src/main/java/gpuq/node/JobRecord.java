package gpuq.node;

import gpuq.job.Submission;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;

/**
 * What a node says of one job: its facts and its status.
 *
 * @param facts none of a tombstone; nor of a job that has spoilt them, as one can that runs as the spool's user without a container
 * @param tombstone whether it ended before the node ever saw it, or is all that is left of it there
 */
public record JobRecord(
        UUID job,
        int attempt,
        Optional<Facts> facts,
        boolean tombstone,
        long seq,
        Phase phase,
        Optional<Instant> startedAt,
        Optional<Instant> endedAt,
        Optional<Ending> ending) {
    private static final Logger LOG = System.getLogger(JobRecord.class.getName());

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

    /** What was asked for, as it was when the node got the job. */
    public record Facts(
            String origin,
            String user,
            Optional<String> competition,
            int gpus,
            int priority,
            Duration expectedTime,
            Duration timeLimit,
            Instant submittedAt) {
        static Facts read(Fields fields) {
            fields.checkLines();
            return new Facts(
                    fields.text("origin"),
                    fields.name("user"),
                    fields.maybeName("competition"),
                    (int) fields.number("gpus", 1, MOST_GPUS),
                    (int) fields.number("priority", -100, 100),
                    fields.seconds("expected_time"),
                    fields.seconds("time_limit"),
                    fields.moment("submitted_at"));
        }
    }

    /** Whether somebody submitted it on the node by hand. */
    public boolean byHand() {
        return facts.isPresent() && facts.get().origin().equals(Submission.OPERATOR);
    }

    /** The one record of a body, which must be this job's. @throws Unreadable if it is not */
    static JobRecord read(byte[] body, UUID job, int attempt) {
        try {
            JobRecord record = read(Fields.single(body));
            if (!record.job.equals(job) || record.attempt != attempt) {
                throw new Lie("job: it is about %s, attempt %d", record.job, record.attempt);
            }
            return record;
        } catch (Lie lie) {
            throw new Unreadable("what it says of job %s is not as the protocol says: %s".formatted(job, lie.getMessage()), lie);
        }
    }

    /** What it is and what became of it has to be readable; what was asked for need not be. */
    static JobRecord read(Fields fields) {
        Phase phase = fields.oneOf(Phase.class, "state");
        boolean tombstone = phase == Phase.ENDED && fields.all("user").isEmpty() && fields.all("queued_at").isEmpty();
        UUID job = fields.job("job");
        return new JobRecord(
                job,
                fields.count("attempt", 1),
                tombstone ? Optional.empty() : facts(job, fields),
                tombstone,
                fields.number("seq", 1, Long.MAX_VALUE),
                phase,
                fields.maybeMoment("started_at"),
                fields.maybeMoment("ended_at"),
                phase == Phase.ENDED ? Optional.of(Ending.read(fields)) : Optional.empty());
    }

    private static Optional<Facts> facts(UUID job, Fields fields) {
        try {
            return Optional.of(Facts.read(fields));
        } catch (Lie lie) {
            LOG.log(Level.WARNING, "the record of job {0} is spoilt on its node: {1}", job, lie.getMessage());
            return Optional.empty();
        }
    }
}
