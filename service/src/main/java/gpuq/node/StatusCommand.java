package gpuq.node;

import java.util.List;
import java.util.UUID;

/** What a node knows of one job. */
record StatusCommand(UUID job, int attempt) implements Command<JobRecord> {

    @Override
    public List<String> words() {
        return List.of("status", job.toString(), Integer.toString(attempt));
    }

    @Override
    public JobRecord read(byte[] body) {
        return JobRecord.read(body, job, attempt);
    }
}
