package gpuq;

import gpuq.audit.Audit;
import gpuq.config.NodeConfig;
import gpuq.config.ServerConfig;
import gpuq.db.Database;
import gpuq.dispatch.Dispatcher;
import gpuq.dispatch.Nodes;
import gpuq.dispatch.Queue;
import gpuq.job.AttemptStore;
import gpuq.job.JobStore;
import gpuq.launch.LaunchTemplates;
import gpuq.node.Authority;
import gpuq.placement.Board;
import gpuq.results.ResultsArchive;
import gpuq.sync.Endings;
import gpuq.sync.NodeMemory;
import gpuq.sync.Progress;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

/** What only the server that leads does, for as long as one lease: it follows the nodes, and gives them their work. */
final class Term implements AutoCloseable {
    private final Board board;
    private final Nodes nodes;
    private final Fleet fleet;
    private final Dispatcher dispatcher;

    /**
     * Begins.
     *
     * @param database that lets nothing through which is written after the lease is over
     * @param authority of the lease
     * @param older told when a node has gone on further than the database knows
     */
    Term(
            ServerConfig config, Database database, LaunchTemplates templates, ResultsArchive archive, Endings endings, Authority authority, Runnable older,
            Clock clock) {
        JobStore store = new JobStore(database);
        AttemptStore attempts = new AttemptStore(database);
        NodeMemory memory = new NodeMemory(database);
        board = new Board(templates.names());
        Progress progress = new Progress(store, attempts, board, archive, endings, older, clock);
        nodes = new Nodes(store, attempts, board, templates, progress, memory, clock);
        fleet = new Fleet(board, nodes, store, attempts, memory, progress, authority, clock);
        dispatcher = new Dispatcher(store, board, progress, endings, nodes, clock);
        try {
            new Audit(database, clock).add(config.address(), "server leads", "lease %d".formatted(authority.epoch()), "");
            become(config.nodes(), config.node());
            dispatcher.start();
            if (database.shared()) {
                dispatcher.tellTheOthers(memory);
            }
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
    }

    void serve(Queue queue) {
        queue.lead(dispatcher, nodes, board);
    }

    /** Takes these nodes over. @return what was changed */
    String become(List<NodeConfig> wanted, ServerConfig.Link link) {
        return fleet.become(wanted, link);
    }

    /** Waits until every node has answered or could not be reached. */
    void awaitFirstWords(Duration patience) {
        try {
            board.awaitFirstWords(patience);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    /** Stops to hand jobs over, and to listen to the nodes. Jobs go on. */
    @Override
    public void close() {
        dispatcher.close();
        fleet.close(); // before the threads that use it are interrupted: H2 swallows that at times
        nodes.close();
    }
}
