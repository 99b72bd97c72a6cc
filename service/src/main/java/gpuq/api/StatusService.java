package gpuq.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import gpuq.dispatch.Queue;
import gpuq.dispatch.Waiting;
import gpuq.job.Attempt;
import gpuq.job.Job;
import gpuq.job.Outcome;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** {@code GET /api/status/{job_id}}: where a job is, and why it waits or failed. */
final class StatusService implements HttpService {
    private final Queue queue;
    private final Access access;

    StatusService(Queue queue, Access access) {
        this.queue = queue;
        this.access = access;
    }

    @Override
    public void routing(HttpRules rules) {
        Resource.get(rules, "/status/{job_id}", this::status);
    }

    private void status(ServerRequest request, ServerResponse response) {
        Query.none(request);
        var reader = access.reader(request);
        Job job = JobId.find(request, queue);
        access.mayRead(reader, job);
        Json.send(request, response, Status.OK_200, JobStatus.of(job, whyWaiting(job), queue.earlier(job)));
    }

    private Optional<Waiting> whyWaiting(Job job) {
        return job.status() == gpuq.job.Status.PENDING ? Optional.of(queue.whyWaiting(job)) : Optional.empty();
    }

    /**
     * @param reason a stable code, when the job waits or failed; {@code detail} is its sentence
     * @param attempts those before the present one; absent when there are none
     */
    record JobStatus(
            String jobId,
            String status,
            @Nullable Integer nodeId,
            @Nullable Integer queuePosition,
            String createdAt,
            @Nullable String startedAt,
            @Nullable String completedAt,
            @Nullable Integer exitCode,
            @JsonInclude(Include.NON_NULL) @Nullable String reason,
            @JsonInclude(Include.NON_NULL) @Nullable String detail,
            @JsonInclude(Include.NON_EMPTY) List<EarlierAttempt> attempts) {

        static JobStatus of(Job job, Optional<Waiting> waiting, List<Attempt> earlier) {
            var facts = new Facts(job);
            Optional<Outcome.Failed> failed =
                    facts.outcome().filter(Outcome.Failed.class::isInstance).map(Outcome.Failed.class::cast);
            return new JobStatus(
                    facts.id(),
                    facts.status(),
                    facts.node(),
                    Facts.number(waiting.map(Waiting::position).orElse(OptionalInt.empty())),
                    facts.createdAt(),
                    facts.startedAt(),
                    facts.completedAt(),
                    facts.exitCode(),
                    waiting.map(Waiting::reason).or(() -> failed.map(f -> f.because().code())).orElse(null),
                    waiting.map(Waiting::detail).or(() -> failed.map(Outcome.Failed::detail)).orElse(null),
                    earlier.stream().map(EarlierAttempt::of).toList());
        }
    }

    /** @param reason {@code moved}, or the stable code of a system failure */
    record EarlierAttempt(
            int attempt, @Nullable Integer nodeId, @Nullable String startedAt, String endedAt, String reason, String detail) {

        static EarlierAttempt of(Attempt attempt) {
            return new EarlierAttempt(
                    attempt.number(),
                    Facts.number(attempt.on()),
                    attempt.startedAt().map(Moments::text).orElse(null),
                    Moments.text(attempt.endedAt()),
                    attempt.reason(),
                    attempt.detail());
        }
    }
}
