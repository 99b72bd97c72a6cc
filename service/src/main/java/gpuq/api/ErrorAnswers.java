package gpuq.api;

import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.RequestException;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/** Turns everything that goes wrong into a {@link Problem}: what a route throws, and what never reaches a route. */
final class ErrorAnswers implements DirectHandler {
    private static final Logger LOG = System.getLogger(ErrorAnswers.class.getName());

    private ErrorAnswers() {}

    static void register(HttpRouting.Builder routing) {
        routing.error(Throwable.class, ErrorAnswers::answer);
    }

    static DirectHandlers direct() {
        var handlers = DirectHandlers.builder();
        for (EventType type : EventType.values()) {
            handlers.addHandler(type, new ErrorAnswers());
        }
        return handlers.build();
    }

    private static void answer(ServerRequest request, ServerResponse response, Throwable thrown) {
        Problem problem = Problem.of(thrown);
        if (problem.status().code() == 500) {
            LOG.log(Level.ERROR, () -> "a request failed: " + LogSafe.describe(thrown));
        }
        Json.send(request, response, problem);
    }

    @Override
    public TransportResponse handle(
            TransportRequest request, EventType type, Status status, ServerResponseHeaders headers, Throwable thrown, Logger log) {
        Problem problem = thrown instanceof RequestException refused && refused.safeMessage() && status.code() == 400
                ? Problem.malformed(refused.getMessage())
                : Problem.ofStatus(status);
        if (status.code() == 500) {
            LOG.log(Level.ERROR, () -> "a connection failed: " + LogSafe.describe(thrown));
        }
        return answer(problem, headers);
    }

    @Override
    public TransportResponse handle(
            TransportRequest request, EventType type, Status status, ServerResponseHeaders headers, String message) {
        return answer(Problem.ofStatus(status), headers);
    }

    private static TransportResponse answer(Problem problem, ServerResponseHeaders headers) {
        return TransportResponse.builder()
                .status(problem.status())
                .headers(headers)
                .header(HeaderNames.CONTENT_TYPE, "application/problem+json")
                .keepAlive(false)
                .entity(Json.bytes(problem.body()))
                .build();
    }
}
