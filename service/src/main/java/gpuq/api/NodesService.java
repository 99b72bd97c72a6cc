package gpuq.api;

import gpuq.dispatch.Jobs;
import gpuq.placement.NodeView;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code GET /api/nodes}: what each node does. */
final class NodesService implements HttpService {
    private final Jobs jobs;
    private final Access access;

    NodesService(Jobs jobs, Access access) {
        this.jobs = jobs;
        this.access = access;
    }

    @Override
    public void routing(HttpRules rules) {
        Resource.get(rules, "/nodes", this::nodes);
    }

    private void nodes(ServerRequest request, ServerResponse response) {
        Query.none(request);
        access.reader(request);
        Json.send(request, response, Status.OK_200, new Nodes(jobs.nodes().stream().map(NodeStatus::of).toList()));
    }

    record Nodes(List<NodeStatus> nodes) {}

    /**
     * @param totalWaitTime seconds until a job of one GPU submitted now would start
     * @param reason why the node is not active
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
                    node.competitions().stream().sorted().toList());
        }
    }
}
