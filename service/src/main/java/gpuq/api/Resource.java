package gpuq.api;

import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRules;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One path of the API with its one method, and what HTTP expects beside it: HEAD for GET, OPTIONS, and 405 with Allow. */
final class Resource {
    private Resource() {}

    static void get(HttpRules rules, String path, Handler handler) {
        rules.get(path, handler).head(path, handler);
        others(rules, path, "GET, HEAD, OPTIONS");
    }

    static void post(HttpRules rules, String path, Handler handler) {
        rules.post(path, handler);
        others(rules, path, "POST, OPTIONS");
    }

    /** For a path that somebody else answers: lets only {@code methods} through to the routes behind. */
    static void only(HttpRules rules, String path, Method... methods) {
        String allow = Stream.concat(Stream.of(methods).map(Method::text), Stream.of("OPTIONS")).collect(Collectors.joining(", "));
        others(rules, path, allow);
    }

    private static void others(HttpRules rules, String path, String allow) {
        List<String> methods = List.of(allow.split(", "));
        rules.options(path, (request, response) ->
                response.status(Status.NO_CONTENT_204).header(HeaderNames.ALLOW, allow).send());
        rules.any(path, (request, response) -> {
            String method = request.prologue().method().text();
            if (!methods.contains(method)) {
                throw Problem.methodNotAllowed(method, allow);
            }
            response.next();
        });
    }
}
