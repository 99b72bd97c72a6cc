package gpuq.api;

import gpuq.auth.User;
import gpuq.dispatch.Queue;
import gpuq.job.Job;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;

/** {@code POST /api/cancel/{job_id}}: ends a job. 200 only when nothing of it runs any more. */
final class CancelService implements HttpService {
    private final Queue queue;
    private final Access access;
    private final Duration patience;

    CancelService(Queue queue, Access access, Duration patience) {
        this.queue = queue;
        this.access = access;
        this.patience = patience;
    }

    @Override
    public void routing(HttpRules rules) {
        Resource.post(rules, "/cancel/{job_id}", this::cancel);
    }

    private void cancel(ServerRequest request, ServerResponse response) {
        User user = access.bearer(request);
        Query.none(request);
        Job job = JobId.find(request, queue);
        access.mayChange(user, job);
        Job then = job.ended() ? job : queue.cancel(job.id(), user.id(), patience);
        if (job.ended() || then.ended() && then.status() != gpuq.job.Status.CANCELLED) {
            throw Problem.conflict("the job has already ended: it is " + then.status().word());
        }
        if (then.ended()) {
            Json.send(request, response, Status.OK_200, new Cancelled("Job cancelled successfully", then.status().word()));
        } else {
            String message = "The node has not confirmed it yet. The request is kept until it has: see /api/status/{job_id}.";
            Json.send(request, response, Status.ACCEPTED_202, new Cancelled(message, then.status().word()));
        }
    }

    /** @param status the job's, now */
    record Cancelled(String message, String status) {}
}
