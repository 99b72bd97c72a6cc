package gpuq.node;

import java.util.List;
import java.util.UUID;

/** Ends a job; when it is running the end comes later, over {@code watch}. */
record CancelCommand(UUID job, int attempt) implements Command<JobRecord> {

    @Override
    public List<String> words() {
        return List.of("cancel", job.toString(), Integer.toString(attempt));
    }

    @Override
    public JobRecord read(byte[] body) {
        return JobRecord.read(body, job, attempt);
    }
}
