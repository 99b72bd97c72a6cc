package gpuq.node;

import java.util.List;
import java.util.UUID;

/** Takes a job back that has not started; any other is left as it is. */
record WithdrawCommand(UUID job, int attempt) implements Command<JobRecord> {

    @Override
    public List<String> words() {
        return List.of("withdraw", job.toString(), Integer.toString(attempt));
    }

    @Override
    public JobRecord read(byte[] body) {
        return JobRecord.read(body, job, attempt);
    }
}
