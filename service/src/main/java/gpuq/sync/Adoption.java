package gpuq.sync;

import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.State;
import gpuq.job.Submission;
import gpuq.node.JobRecord;
import gpuq.node.Node;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Makes a row of a job that only its node knows: an operator submitted it there, or the database came from a backup or lost its last commits. What is left
 * of the job's code there comes along, so that another node can have it.
 */
public final class Adoption {
    private final JobStore store;

    public Adoption(JobStore store) {
        this.store = store;
    }

    /** @return the job as its row is now; nothing if the node cannot say what was asked for */
    Optional<Job> of(int on, Node node, JobRecord said) {
        if (said.facts().isEmpty()) {
            return Optional.empty();
        }
        JobRecord.Facts facts = said.facts().get();
        Submission asked = new Submission(said.byHand() ? Submission.OPERATOR : facts.user(), "", facts.competition(), facts.expectedTime(), facts.timeLimit(),
                facts.gpus(), facts.priority(), OptionalInt.empty());
        Job job = new Job(said.job(), asked, facts.submittedAt(), said.attempt(), 1, new State.Waiting(on), Optional.empty());
        store.adopt(job, said.byHand() ? Optional.empty() : code(node, said));
        return store.find(said.job());
    }

    private static Optional<String> code(Node node, JobRecord said) {
        byte[] solution = Collector.solution(node, said);
        return solution.length == 0 ? Optional.empty() : Optional.of(new String(solution, StandardCharsets.UTF_8));
    }
}
