package gpuq;

import gpuq.api.ApiSettings;
import gpuq.api.HttpServer;
import gpuq.auth.Users;
import gpuq.config.ServerConfig;
import gpuq.db.Database;
import gpuq.dispatch.Jobs;
import gpuq.dispatch.Nodes;
import gpuq.job.AttemptStore;
import gpuq.job.JobStore;
import gpuq.launch.LaunchTemplates;
import gpuq.placement.Board;
import gpuq.results.ResultsArchive;
import gpuq.sync.Endings;
import gpuq.sync.NodeMemory;
import gpuq.sync.Progress;
import java.time.Clock;
import java.time.Duration;

/** The composition root: every part, wired by hand in the order in which a job meets them. */
final class Server implements AutoCloseable {
    /** What the database keeps of a moment. */
    static final Clock CLOCK = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));

    private static final Duration FIRST_WORDS = Duration.ofSeconds(2);

    private final Nodes nodes;
    private final Fleet fleet;
    private final Jobs jobs;
    private final HttpServer http;

    /** Starts everything. The database stays the caller's to close, after this. */
    Server(ServerConfig config, Database database, Users users) {
        LaunchTemplates templates = new LaunchTemplates(config.templates().resolve("launch"));
        ResultsArchive archive = new ResultsArchive(config.dataDirectory());
        JobStore store = new JobStore(database);
        AttemptStore attempts = new AttemptStore(database);
        NodeMemory memory = new NodeMemory(database);
        Board board = new Board(templates.names());

        Endings endings = new Endings();
        Progress progress = new Progress(store, attempts, board, archive, endings, CLOCK);
        nodes = new Nodes(store, attempts, board, templates, progress, memory, CLOCK);
        fleet = new Fleet(board, nodes, store, attempts, memory, progress, CLOCK);
        fleet.become(config.nodes(), config.node());
        jobs = new Jobs(store, attempts, board, archive, progress, endings, nodes, CLOCK);
        jobs.start();

        http = new HttpServer(settings(config), jobs, nodes, users);
        awaitFirstWords(board);
        http.start();
    }

    int port() {
        return http.port();
    }

    /** Takes the nodes over from a configuration that was read anew; what else is in it takes effect at the next start. @return what was changed */
    String reload(ServerConfig config) {
        return fleet.become(config.nodes(), config.node());
    }

    /** Answers everybody who waits, lets the answers out, and stops listening to the nodes. Jobs go on. */
    @Override
    public void close() {
        jobs.close();
        nodes.close();
        http.stop();
        fleet.close();
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
