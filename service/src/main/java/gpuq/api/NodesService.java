package gpuq.api;

import gpuq.auth.User;
import gpuq.dispatch.Queue;
import gpuq.placement.NodeView;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code /api/nodes}: what each node does; an administrator drains, resumes and gives up nodes here. */
final class NodesService implements HttpService {
    private static final Pattern ID = Pattern.compile("0|[1-9][0-9]{0,3}");
    private static final int LONGEST_REASON = 500;

    private final Queue queue;
    private final Access access;

    NodesService(Queue queue, Access access) {
        this.queue = queue;
        this.access = access;
    }

    @Override
    public void routing(HttpRules rules) {
        Resource.get(rules, "/nodes", this::nodes);
        Resource.post(rules, "/nodes/{node_id}/drain", this::drain);
        Resource.post(rules, "/nodes/{node_id}/resume", this::resume);
        Resource.post(rules, "/nodes/{node_id}/lost", this::lost);
    }

    private void nodes(ServerRequest request, ServerResponse response) {
        Query.none(request);
        access.reader(request);
        Json.send(request, response, Status.OK_200, new Fleet(queue.nodes().stream().map(NodeStatus::of).toList()));
    }

    private void drain(ServerRequest request, ServerResponse response) {
        User user = access.administrator(request);
        Optional<String> reason = reason(request);
        int node = node(request);
        queue.drain(node, user.id(), reason);
        answer(request, response, node);
    }

    private void resume(ServerRequest request, ServerResponse response) {
        User user = access.administrator(request);
        Query.none(request);
        int node = node(request);
        queue.resume(node, user.id());
        answer(request, response, node);
    }

    private void lost(ServerRequest request, ServerResponse response) {
        User user = access.administrator(request);
        Optional<String> reason = reason(request);
        Optional<NodeView> lost = id(request).flatMap(node -> queue.declareLost(node, user.id(), reason));
        Json.send(request, response, Status.OK_200, NodeStatus.of(lost.orElseThrow(NodesService::unknown)));
    }

    private static Optional<String> reason(ServerRequest request) {
        var faults = new Faults();
        Optional<String> reason = new Query(request, faults, Set.of("reason"))
                .value("reason", NodesService::line, "must be one line of text, 1 to %d bytes".formatted(LONGEST_REASON));
        faults.refuse();
        return reason;
    }

    private static Optional<String> line(String text) {
        int length = text.getBytes(StandardCharsets.UTF_8).length;
        return Optional.of(text).filter(t -> !t.isBlank() && length <= LONGEST_REASON && t.chars().noneMatch(Character::isISOControl));
    }

    /** @throws Problem 404 if there is no such node */
    private int node(ServerRequest request) {
        return id(request).filter(id -> queue.node(id).isPresent()).orElseThrow(NodesService::unknown);
    }

    private static Optional<Integer> id(ServerRequest request) {
        return Optional.of(request.path().pathParameters().get("node_id")).filter(id -> ID.matcher(id).matches()).map(Integer::valueOf);
    }

    private static Problem unknown() {
        return Problem.notFound("there is no node with this id");
    }

    private void answer(ServerRequest request, ServerResponse response, int node) {
        NodeStatus status = queue.node(node).map(NodeStatus::of).orElseThrow(() -> Problem.notFound("there is no node with this id any more"));
        Json.send(request, response, Status.OK_200, status);
    }

    record Fleet(List<NodeStatus> nodes) {}

    /**
     * @param totalWaitTime seconds until a job of one GPU submitted now would start
     * @param reason why the node is not active
     * @param since when it became what it is
     */
    record NodeStatus(
            int nodeId,
            String ip,
            int queueLength,
            long totalWaitTime,
            String status,
            int slots,
            int running,
            @Nullable String version,
            @Nullable String reason,
            String since,
            List<String> competitions) {

        static NodeStatus of(NodeView node) {
            return new NodeStatus(
                    node.id(),
                    node.ip(),
                    node.queueLength(),
                    node.totalWait().plusMillis(999).toSeconds(),
                    node.status(),
                    node.slots(),
                    node.running(),
                    node.version().orElse(null),
                    node.reason().orElse(null),
                    Moments.text(node.since()),
                    node.competitions().stream().sorted().toList());
        }
    }
}
