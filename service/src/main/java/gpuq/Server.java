package gpuq;

import gpuq.api.ApiSettings;
import gpuq.api.HttpServer;
import gpuq.auth.Users;
import gpuq.db.Database;
import gpuq.dispatch.Jobs;
import gpuq.job.JobStore;
import gpuq.launch.LaunchTemplates;
import gpuq.node.Node;
import gpuq.placement.Board;
import gpuq.results.ResultsArchive;
import gpuq.sync.Endings;
import gpuq.sync.Follower;
import gpuq.sync.NodeMemory;
import gpuq.sync.Progress;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The composition root: every part, wired by hand in the order in which a job meets them. */
final class Server implements AutoCloseable {
    private final Map<Integer, Node> nodes;
    private final Jobs jobs;
    private final HttpServer http;
    private final List<Thread> followers = new ArrayList<>();

    /**
     * Starts everything. The database and the nodes stay the caller's to close, after this.
     *
     * @param ips of the nodes, as {@code /api/nodes} shows them
     */
    Server(ApiSettings settings, Database database, Users users, LaunchTemplates templates, ResultsArchive archive, Map<Integer, Node> nodes, Map<Integer, String> ips) {
        this.nodes = nodes;
        InstantSource clock = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));
        JobStore store = new JobStore(database);
        Board board = new Board(templates.names());
        NodeMemory memory = new NodeMemory(database);
        ips.forEach(board::add);
        memory.load().forEach(board::remember);

        Endings endings = new Endings();
        Progress progress = new Progress(store, board, archive, endings, clock);
        jobs = new Jobs(store, board, archive, templates, progress, endings, nodes, clock);
        jobs.start();
        nodes.forEach((id, node) -> followers.add(Thread.ofVirtual()
                .name("follower-" + id)
                .start(new Follower(id, node, board, store, memory, progress, clock))));
        http = new HttpServer(settings, jobs, users);
        http.start();
    }

    int port() {
        return http.port();
    }

    /** Answers everybody who waits, lets the answers out, and stops listening to the nodes. Jobs go on. */
    @Override
    public void close() {
        jobs.close();
        http.stop();
        followers.forEach(Thread::interrupt);
        nodes.values().forEach(Node::close);
    }
}
