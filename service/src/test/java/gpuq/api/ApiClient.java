package gpuq.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.stream.StreamSupport;

/** A user's client: what curl does, in Java. */
public final class ApiClient {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build();
    private final URI base;

    public ApiClient(URI base) {
        this.base = base;
    }

    public record Answer(int status, JsonNode body, HttpResponse<String> raw) {
        public String text(String field) {
            return body.path(field).asText();
        }

        /** The names of the fields, in order. */
        List<String> fields() {
            return StreamSupport.stream(((Iterable<String>) body::fieldNames).spliterator(), false).toList();
        }
    }

    public static String config(String... lines) {
        return """
                competition_id: "random-acts-of-pizza"
                project_id: "my_project"
                user_id: "sarang"
                expected_time: 60  # estimated seconds
                token: "sarang"
                """ + String.join("\n", lines);
    }

    public Answer submit(String query, String code, String config, String... headers) {
        return send(form(query, code, config, headers));
    }

    HttpRequest form(String query, String code, String config, String... headers) {
        String boundary = "gpuq-test-boundary";
        String body = part(boundary, "code", code) + part(boundary, "config_file", config) + "--" + boundary + "--\r\n";
        var request = HttpRequest.newBuilder(base.resolve("/api/submit" + query))
                .header("Content-Type", "multipart/form-data; boundary=" + boundary)
                .POST(BodyPublishers.ofString(body));
        return (headers.length == 0 ? request : request.headers(headers)).build();
    }

    private static String part(String boundary, String name, String content) {
        return "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"f\"\r\n\r\n%s\r\n".formatted(boundary, name, content);
    }

    public Answer get(String path, String... headers) {
        return call("GET", path, headers);
    }

    public Answer post(String path, String... headers) {
        return call("POST", path, headers);
    }

    Answer call(String method, String path, String... headers) {
        var request = HttpRequest.newBuilder(base.resolve(path)).method(method, BodyPublishers.noBody());
        return send((headers.length == 0 ? request : request.headers(headers)).build());
    }

    Answer send(HttpRequest request) {
        try {
            var raw = http.send(request, BodyHandlers.ofString());
            return new Answer(raw.statusCode(), MAPPER.readTree(raw.body().isEmpty() ? "null" : raw.body()), raw);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
