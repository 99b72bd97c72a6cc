package gpuq.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Answers in JSON. The bodies are records: their components, in this order and in snake case, are the fields. */
final class Json {
    private static final byte[] NOTHING = {};
    private static final JsonMapper MAPPER =
            JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

    private Json() {}

    static byte[] bytes(Object body) {
        try {
            return MAPPER.writeValueAsBytes(body);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String text(Object body) {
        return new String(bytes(body), StandardCharsets.UTF_8);
    }

    static void send(ServerRequest request, ServerResponse response, Status status, Object body) {
        send(request, response, status, "application/json", bytes(body));
    }

    static void send(ServerRequest request, ServerResponse response, Problem problem) {
        problem.headers().forEach((name, value) -> response.header(HeaderNames.create(name), value));
        send(request, response, problem.status(), "application/problem+json", bytes(problem.body()));
    }

    private static void send(ServerRequest request, ServerResponse response, Status status, String type, byte[] body) {
        response.status(status)
                .header(HeaderNames.CONTENT_TYPE, type)
                .header(HeaderNames.CACHE_CONTROL, "no-store")
                .header(HeaderNames.create("X-Content-Type-Options"), "nosniff");
        if (!request.content().consumed()) {
            response.header(HeaderValues.CONNECTION_CLOSE);
        }
        Connection connection = Connection.current();
        try (var deadline = connection.deadlines().start(connection.settings().answerDeadline())) {
            if (request.prologue().method().equals(Method.HEAD)) {
                response.header(HeaderNames.CONTENT_LENGTH, Integer.toString(body.length));
                response.send(NOTHING);
            } else {
                response.send(body);
            }
        } catch (UncheckedIOException gone) {
            throw new CloseConnectionException("the client did not take the answer", gone);
        }
    }
}
