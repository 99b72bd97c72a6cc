package gpuq.api;

import gpuq.dispatch.Queue;
import gpuq.job.Job;
import gpuq.results.Results;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.function.Function;

/** Answers with the results of a job. They may be large, and whoever reads them slow: only so many bytes are held for all of them at once. */
final class ResultsAnswer {
    private static final int BYTES_AT_ONCE = 128 << 20;

    /** Bytes that one byte of results takes at the worst: as characters, and as a control character in JSON. */
    private static final int PEAK = 8;

    private final Queue queue;
    private final Budget budget = new Budget(BYTES_AT_ONCE, "too many large results are read at once; ask again in a moment");

    ResultsAnswer(Queue queue) {
        this.queue = queue;
    }

    /** @throws Problem 503 when there is no room for them now */
    void send(ServerRequest request, ServerResponse response, Job job, Function<Results, Object> body) {
        budget.spend(PEAK * queue.sizeOfResults(job), () -> Json.send(request, response, Status.OK_200, body.apply(queue.results(job))));
    }
}
