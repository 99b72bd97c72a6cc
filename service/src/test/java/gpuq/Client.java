package gpuq;

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
import java.util.Optional;

/** A user of the API as the published examples are: multipart forms in, JSON out. */
final class Client {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String BOUNDARY = "----gpuq-test";

    private final URI base;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build();

    Client(URI base) {
        this.base = base;
    }

    record Answer(int status, JsonNode body) {}

    boolean answers() {
        try {
            return get("/health").status() < 300;
        } catch (UncheckedIOException notYet) {
            return false;
        }
    }

    Answer get(String path) {
        return send(HttpRequest.newBuilder(base.resolve(path)).GET());
    }

    Answer cancel(String job) {
        return send(HttpRequest.newBuilder(base.resolve("/api/cancel/" + job)).header("Authorization", "Bearer sarang").POST(BodyPublishers.noBody()));
    }

    /** @param project a label to find the job by */
    Answer submit(String code, String project, boolean wait, Optional<String> key) {
        String config = """
                competition_id: "random-acts-of-pizza"
                project_id: "%s"
                user_id: "sarang"
                expected_time: 1
                token: "sarang"
                """.formatted(project);
        String form = part("code", "solution.py", code) + part("config_file", "config.yaml", config) + "--" + BOUNDARY + "--\r\n";
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve("/api/submit?wait=" + wait))
                .header("Content-Type", "multipart/form-data; boundary=" + BOUNDARY)
                .POST(BodyPublishers.ofString(form));
        key.ifPresent(value -> request.header("Idempotency-Key", value));
        return send(request);
    }

    private static String part(String name, String file, String text) {
        return "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n\r\n%s\r\n".formatted(BOUNDARY, name, file, text);
    }

    /** The job when it has ended. */
    JsonNode ended(String job) {
        JsonNode[] last = new JsonNode[1];
        Eventually.holds("job " + job + " has ended", Duration.ofSeconds(60), () -> {
            last[0] = get("/api/status/" + job).body();
            return !last[0].path("status").asText().matches("pending|running");
        });
        return last[0];
    }

    private Answer send(HttpRequest.Builder request) {
        try {
            HttpResponse<byte[]> response = http.send(request.timeout(Duration.ofMinutes(2)).build(), BodyHandlers.ofByteArray());
            return new Answer(response.statusCode(), JSON.readTree(response.body()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
