package gpuq.api;

import gpuq.dispatch.Queue;
import gpuq.job.Job;
import io.helidon.webserver.http.ServerRequest;
import java.util.UUID;
import java.util.regex.Pattern;

/** The job that a path names. */
final class JobId {
    private static final Pattern UUID_TEXT = Pattern.compile("(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    private JobId() {}

    /** @throws Problem 400 if it is no job id, 404 if there is no such job */
    static Job find(ServerRequest request, Queue queue) {
        String text = request.path().pathParameters().get("job_id");
        if (!UUID_TEXT.matcher(text).matches()) {
            throw Problem.badRequest("job_id", "must be a UUID, as the answer to a submit gives it");
        }
        UUID id = UUID.fromString(text);
        return queue.find(id).orElseThrow(() -> Problem.notFound("job_id: there is no job " + id));
    }
}
