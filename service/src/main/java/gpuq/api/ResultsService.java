package gpuq.api;

import gpuq.dispatch.Queue;
import gpuq.job.Job;
import gpuq.results.Results;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code GET /api/results/{job_id}}: what a job left. Asked too early it answers too, with nulls. */
final class ResultsService implements HttpService {
    private final Queue queue;
    private final Access access;
    private final ResultsAnswer answer;

    ResultsService(Queue queue, Access access, ResultsAnswer answer) {
        this.queue = queue;
        this.access = access;
        this.answer = answer;
    }

    @Override
    public void routing(HttpRules rules) {
        Resource.get(rules, "/results/{job_id}", this::results);
    }

    private void results(ServerRequest request, ServerResponse response) {
        Query.none(request);
        var reader = access.reader(request);
        Job job = JobId.find(request, queue);
        access.mayRead(reader, job);
        if (job.ended()) {
            answer.send(request, response, job, results -> JobResults.of(job, Optional.of(results)));
        } else {
            Json.send(request, response, Status.OK_200, JobResults.of(job, Optional.empty()));
        }
    }

    /** @param stdout the results document as the grader wrote it; {@code ""} when the job left none */
    record JobResults(
            String jobId,
            String status,
            @Nullable String stdout,
            @Nullable String stderr,
            @Nullable Integer exitCode,
            @Nullable String startedAt,
            @Nullable String completedAt) {

        static JobResults of(Job job, Optional<Results> results) {
            var facts = new Facts(job);
            return new JobResults(
                    facts.id(),
                    facts.status(),
                    results.map(Results::document).orElse(null),
                    results.map(Results::stderr).orElse(null),
                    facts.exitCode(),
                    facts.startedAt(),
                    facts.completedAt());
        }
    }
}
