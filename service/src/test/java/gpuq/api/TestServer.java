package gpuq.api;

import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;

/**
 * A real server with short deadlines and a few routes of its own in the place of the jobs: {@code form} reads a submit's form and
 * says what it found, {@code big} answers more than a socket holds, {@code wait} waits as a submit does, {@code broken} throws.
 */
final class TestServer implements AutoCloseable {
    static final Duration SHORT = Duration.ofMillis(700);

    /** Completes when somebody waits at {@code wait}. */
    final CompletableFuture<Void> waiting = new CompletableFuture<>();
    /** Complete to let everybody who waits at {@code wait} go on. */
    final CompletableFuture<Void> over = new CompletableFuture<>();
    /** Completes when a client that waited went away. */
    final CompletableFuture<Void> gone = new CompletableFuture<>();
    /** Completes when a route had to give up on a client that does not read. */
    final CompletableFuture<Throwable> unread = new CompletableFuture<>();

    private final ApiSettings settings = settings();
    private final Budget budget = new Budget(8 << 20, "too many uploads at once; nothing was accepted");
    private final HttpServer server = new HttpServer(settings, this::routing);

    TestServer() {
        server.start();
    }

    static ApiSettings settings() {
        var defaults = ApiSettings.defaults();
        return new ApiSettings(
                defaults.host(), 0, defaults.codeLimit(), defaults.waitLimit(), defaults.defaultTimeLimit(), false,
                SHORT, SHORT, SHORT, SHORT, Duration.ofSeconds(2), Duration.ofSeconds(2));
    }

    int port() {
        return server.port();
    }

    private void routing(HttpRules rules) {
        Resource.post(rules, "/form", this::form);
        Resource.get(rules, "/big", this::big);
        Resource.get(rules, "/wait", this::waitForIt);
        Resource.get(rules, "/broken", (request, response) -> {
            throw new IllegalStateException("a secret\nof ours");
        });
    }

    private void form(ServerRequest request, ServerResponse response) {
        var faults = new Faults();
        String boundary = SubmitForm.boundary(request);
        Optional<String> key = SubmitForm.key(request, faults);
        try (Upload upload = Upload.read(request, settings, budget)) {
            var form = SubmitForm.read(upload, boundary, key, settings, faults).form();
            Json.send(request, response, Status.OK_200, Map.of(
                    "code", form.code(),
                    "user", form.submission().userId(),
                    "hash", form.key().map(k -> k.bodySha256()).orElse("")));
        }
    }

    private void big(ServerRequest request, ServerResponse response) {
        try {
            Json.send(request, response, Status.OK_200, Map.of("big", "x".repeat(64 << 20)));
        } catch (RuntimeException e) {
            unread.complete(e);
            throw e;
        }
    }

    private void waitForIt(ServerRequest request, ServerResponse response) {
        CompletableFuture<Void> end = over.copy();
        Connection.current().whenGone(() -> end.cancel(false));
        waiting.complete(null);
        try {
            end.join();
        } catch (CancellationException e) {
            gone.complete(null);
            throw new CloseConnectionException("gone", e);
        }
        response.header(io.helidon.http.HeaderValues.CONNECTION_CLOSE);
        Json.send(request, response, Status.OK_200, Map.of("waited", true));
    }

    @Override
    public void close() {
        server.stop();
    }
}
