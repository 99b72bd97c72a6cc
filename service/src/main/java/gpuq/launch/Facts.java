package gpuq.launch;

import gpuq.job.Job;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** What a node is told of a job, in the order of the protocol's page; {@code ""} stands for an absent value. */
final class Facts {
    private Facts() {}

    static SequencedMap<String, String> of(Job job, String template) {
        var facts = new LinkedHashMap<String, String>();
        var submission = job.submission();
        facts.put("job", job.id().toString());
        facts.put("attempt", Integer.toString(job.attempt()));
        facts.put("origin", "server");
        facts.put("user", submission.userId());
        facts.put("project", submission.projectId());
        facts.put("name", "");
        facts.put("competition", submission.competitionId().orElse(""));
        facts.put("template", template);
        facts.put("gpus", Integer.toString(submission.gpus()));
        facts.put("priority", Integer.toString(submission.priority()));
        facts.put("expected_time", Long.toString(submission.expectedTime().toSeconds()));
        facts.put("time_limit", Long.toString(submission.timeLimit().toSeconds()));
        facts.put("submitted_at", Long.toString(ChronoUnit.MICROS.between(Instant.EPOCH, job.createdAt())));
        return facts;
    }

    /**
     * The file {@code job}: a record.
     *
     * @throws IllegalArgumentException when a value holds control characters, which would begin another line
     */
    static String record(SequencedMap<String, String> facts) {
        var record = new StringBuilder();
        facts.forEach((key, value) -> {
            if (value.chars().anyMatch(Character::isISOControl)) {
                throw new IllegalArgumentException("job %s: its %s holds control characters".formatted(facts.get("job"), key));
            }
            if (!value.isEmpty()) {
                record.append(key).append(' ').append(value).append('\n');
            }
        });
        return record.toString();
    }
}
