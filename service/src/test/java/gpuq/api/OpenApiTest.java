package gpuq.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import gpuq.job.Reason;
import gpuq.job.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The published description says what the code does: the same routes, the same fields in the same order, the same words. */
class OpenApiTest {
    private static final Map<String, Object> API = load();

    private static Map<String, Object> load() {
        return new org.yaml.snakeyaml.Yaml().load(OpenApiTest.class.getResourceAsStream("/META-INF/openapi.yaml"));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> at(Map<String, Object> map, String... path) {
        for (String key : path) {
            map = (Map<String, Object>) map.get(key);
        }
        return map;
    }

    @Test
    void every_route_is_described_and_every_description_has_a_route() {
        var described = new TreeSet<String>();
        at(API, "paths").forEach((path, item) -> {
            @SuppressWarnings("unchecked")
            var methods = (Map<String, Object>) item;
            methods.keySet().forEach(method -> described.add(method + " " + path));
        });
        assertEquals(described, routes());
    }

    /** What the resources ask a router for, apart from HEAD, OPTIONS and refusals. */
    private static TreeSet<String> routes() {
        var routes = new TreeSet<String>();
        var rules = (HttpRules) Proxy.newProxyInstance(
                OpenApiTest.class.getClassLoader(), new Class<?>[] {HttpRules.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("get") || method.getName().equals("post")) {
                        routes.add(method.getName() + " /api" + arguments[0]);
                    }
                    return proxy;
                });
        for (HttpService service : HttpServer.services(ApiSettings.defaults(), null, null)) {
            service.routing(rules);
        }
        return routes;
    }

    @Test
    void every_body_has_the_fields_of_its_schema_in_the_same_order() {
        Map<String, Class<? extends Record>> bodies = Map.ofEntries(
                Map.entry("SubmitResult", SubmitService.Done.class),
                Map.entry("Accepted", SubmitService.Accepted.class),
                Map.entry("StillRunning", SubmitService.Later.class),
                Map.entry("JobStatus", StatusService.JobStatus.class),
                Map.entry("EarlierAttempt", StatusService.EarlierAttempt.class),
                Map.entry("JobResults", ResultsService.JobResults.class),
                Map.entry("Cancelled", CancelService.Cancelled.class),
                Map.entry("Nodes", NodesService.Fleet.class),
                Map.entry("Node", NodesService.NodeStatus.class),
                Map.entry("Jobs", JobsService.Page.class),
                Map.entry("JobEntry", JobsService.Entry.class),
                Map.entry("Problem", Problem.Body.class));
        bodies.forEach((schema, body) -> assertEquals(
                List.copyOf(at(API, "components", "schemas", schema, "properties").keySet()),
                Arrays.stream(body.getRecordComponents()).map(c -> SnakeCaseStrategy.INSTANCE.translate(c.getName())).toList(),
                schema));
    }

    @Test
    void it_is_served_as_JSON_and_as_YAML() throws Exception {
        try (var server = new TestServer(); var http = HttpClient.newHttpClient()) {
            for (String format : List.of("JSON", "YAML")) {
                var uri = URI.create("http://127.0.0.1:" + server.port() + "/openapi?format=" + format);
                String text = http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body();
                JsonNode served = format.equals("JSON")
                        ? new ObjectMapper().readTree(text)
                        : new ObjectMapper().valueToTree(new org.yaml.snakeyaml.Yaml().load(text));
                assertEquals(new ObjectMapper().<JsonNode>valueToTree(API), served, format);
            }
        }
    }

    @Test
    void every_status_and_every_reason_is_named() {
        assertEquals(
                Arrays.stream(Status.values()).map(Status::word).toList(),
                at(API, "components", "schemas", "Status").get("enum"));
        var reasons = new TreeSet<>(List.of("queued", "being_sent", "node_unreachable", "no_active_node", "cancel_requested"));
        Arrays.stream(Reason.values()).map(Reason::code).forEach(reasons::add);
        assertEquals(reasons, new TreeSet<>((List<?>) at(API, "components", "schemas", "JobStatus", "properties", "reason").get("enum")));
    }
}
