package gpuq;

import gpuq.api.ApiSettings;
import gpuq.api.HttpServer;
import gpuq.auth.Users;
import gpuq.config.NodeConfig;
import gpuq.config.ServerConfig;
import gpuq.db.Database;
import gpuq.dispatch.Jobs;
import gpuq.job.JobStore;
import gpuq.launch.LaunchTemplates;
import gpuq.node.Deadlines;
import gpuq.node.Node;
import gpuq.node.NodePair;
import gpuq.placement.Board;
import gpuq.results.ResultsArchive;
import gpuq.sync.Endings;
import gpuq.sync.Follower;
import gpuq.sync.NodeMemory;
import gpuq.sync.Progress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The composition root: every part, wired by hand in the order in which a job meets them. */
final class Server implements AutoCloseable {
    /** What the database keeps of a moment. */
    static final Clock CLOCK = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));

    private static final Duration FIRST_WORDS = Duration.ofSeconds(2);

    /** Each node has a conversation for the way down and one for the way back, so that neither waits for the other. */
    private final Map<Integer, Node> down = new TreeMap<>();
    private final Map<Integer, Node> back = new TreeMap<>();
    private final List<Thread> followers = new ArrayList<>();
    private final Jobs jobs;
    private final HttpServer http;

    /** Starts everything. The database stays the caller's to close, after this. */
    Server(ServerConfig config, Database database, Users users) {
        LaunchTemplates templates = new LaunchTemplates(config.templates().resolve("launch"));
        ResultsArchive archive = new ResultsArchive(config.dataDirectory());
        JobStore store = new JobStore(database);
        NodeMemory memory = new NodeMemory(database);
        Board board = new Board(templates.names());
        config.nodes().forEach(node -> {
            NodePair pair = reach(node, config.node());
            down.put(node.id(), pair.down());
            back.put(node.id(), pair.back());
            board.add(node.id(), address(node));
            memory.find(node.id()).ifPresent(known -> board.remember(node.id(), known.capacity()));
        });

        Endings endings = new Endings();
        Progress progress = new Progress(store, board, archive, endings, CLOCK);
        jobs = new Jobs(store, board, archive, templates, progress, endings, down, CLOCK);
        jobs.start();
        back.forEach((id, node) -> followers.add(Thread.ofVirtual()
                .name("follower-" + id)
                .start(new Follower(id, node, board, store, memory, progress, CLOCK))));

        http = new HttpServer(settings(config), jobs, users);
        awaitFirstWords(board);
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
        down.values().forEach(Node::close);
        back.values().forEach(Node::close);
    }

    private static NodePair reach(NodeConfig node, ServerConfig.Link link) {
        Deadlines deadlines = new Deadlines(link.patience(), link.patience(), link.heartbeat());
        return switch (node) {
            case NodeConfig.Local local -> NodePair.local(Integer.toString(local.id()), local.command(), local.config(), deadlines);
            case NodeConfig.Ssh ssh -> NodePair.ssh(Integer.toString(ssh.id()), ssh.address(), deadlines);
        };
    }

    private static String address(NodeConfig node) {
        return switch (node) {
            case NodeConfig.Local local -> "127.0.0.1";
            case NodeConfig.Ssh ssh -> ssh.address().host();
        };
    }

    private static ApiSettings settings(ServerConfig config) {
        ApiSettings usual = ApiSettings.defaults();
        return new ApiSettings(
                config.server().host(), config.server().port(), config.limits().codeSize(), config.server().waitLimit(),
                config.limits().defaultTimeLimit(), config.auth().requiredForReads(), config.server().cancelPatience(),
                usual.headerDeadline(), usual.bodyDeadline(), usual.answerDeadline(), usual.idleLimit(), usual.stopPatience());
    }

    private static void awaitFirstWords(Board board) {
        try {
            board.awaitFirstWords(FIRST_WORDS);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }
}
