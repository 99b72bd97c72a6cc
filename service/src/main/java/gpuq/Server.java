package gpuq;

import gpuq.api.ApiSettings;
import gpuq.api.HttpServer;
import gpuq.audit.Audit;
import gpuq.auth.Users;
import gpuq.config.NodeConfig;
import gpuq.config.ServerConfig;
import gpuq.db.Database;
import gpuq.db.Fence;
import gpuq.dispatch.Queue;
import gpuq.dispatch.Standby;
import gpuq.job.AttemptStore;
import gpuq.job.JobStore;
import gpuq.launch.LaunchTemplates;
import gpuq.lease.LeaseKeeper;
import gpuq.node.Authority;
import gpuq.node.Node;
import gpuq.node.NodeLines;
import gpuq.results.ResultsArchive;
import gpuq.results.ResultsStore;
import gpuq.sync.Adoption;
import gpuq.sync.Endings;
import gpuq.sync.NodeMemory;
import gpuq.sync.Reconciliation;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The composition root: every part, wired by hand. It answers what is read, and while it holds the lease it leads, for a {@link Term}. */
final class Server implements AutoCloseable, LeaseKeeper.Leader {
    /** What the database keeps of a moment. */
    static final Clock CLOCK = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));

    private static final Duration FIRST_WORDS = Duration.ofSeconds(2);

    private final Database database;
    private final LaunchTemplates templates;
    private final ResultsArchive archive;
    private final Endings endings = new Endings();
    private final Queue queue;
    private final LeaseKeeper keeper;
    private final HttpServer http;
    private volatile ServerConfig config;
    private volatile Optional<Term> term = Optional.empty();
    private volatile Map<Integer, NodeLines> asked = Map.of(); // while the database is reconciled with them

    /** Starts everything. The database stays the caller's to close, after this. @param id the server's, see {@link gpuq.lease.ServerId} */
    Server(ServerConfig config, Database database, Users users, String id) {
        this.config = config;
        this.database = database;
        templates = new LaunchTemplates(config.templates().resolve("launch"));
        archive = new ResultsArchive(config.dataDirectory(), database.shared() ? Optional.of(new ResultsStore(database)) : Optional.empty());
        keeper = new LeaseKeeper(database, id, config.address(), config.server().lease(), this);
        JobStore store = new JobStore(database);
        Standby standby = new Standby(store, new NodeMemory(database), this::addresses, CLOCK);
        queue = new Queue(store, new AttemptStore(database), archive, endings, standby, new Audit(database, CLOCK), keeper::leader, keeper::good, CLOCK);
        http = new HttpServer(settings(config), queue, users);
        keeper.start();
        term.ifPresent(begun -> begun.awaitFirstWords(FIRST_WORDS));
        http.start();
    }

    int port() {
        return http.port();
    }

    @Override
    public boolean lead(long epoch, Fence fence, boolean restored) {
        Database fenced = database.fencedBy(fence);
        Authority authority = new Authority(epoch, keeper::outbid);
        if (restored && !reconciled(new JobStore(fenced), authority)) {
            return false;
        }
        begin(new Term(config, fenced, templates, archive.through(new ResultsStore(fenced)), endings, authority, () -> keeper.databaseIsOlder(epoch), CLOCK));
        return true;
    }

    private synchronized void begin(Term begun) {
        term = Optional.of(begun);
        begun.become(config.nodes(), config.node()); // which may have been read anew meanwhile
        begun.serve(queue);
    }

    /** The nodes that the configuration names when it begins; one that is gone for good has to be taken out of it first. */
    private boolean reconciled(JobStore store, Authority authority) {
        queue.notYet("the database came from a backup, and not every node has said yet what it has; the server's log says which");
        asked = config.nodes().stream().collect(Collectors.toMap(NodeConfig::id, node -> Fleet.reach(node, config.node(), authority)));
        try {
            Map<Integer, Node> nodes = asked.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, line -> line.getValue().aside()));
            return new Reconciliation(nodes, store, new Adoption(store), () -> !keeper.holds(authority.epoch())).run();
        } finally {
            asked.values().forEach(NodeLines::close);
            asked = Map.of();
        }
    }

    @Override
    public void stepDown() {
        queue.follow();
        asked.values().forEach(NodeLines::close);
    }

    @Override
    public synchronized void follow() {
        queue.follow();
        term.ifPresent(Term::close);
        term = Optional.empty();
    }

    /** Takes the nodes over from a configuration that was read anew; what else is in it takes effect at the next start. @return what was changed */
    synchronized String reload(ServerConfig anew) {
        config = config.with(anew.nodes(), anew.node());
        return term.map(begun -> begun.become(anew.nodes(), anew.node())).orElse("another server leads, and this one knows its nodes when it does");
    }

    /** Answers everybody who waits, lets the answers out, and stops listening to the nodes. Jobs go on. */
    @Override
    public void close() {
        queue.close();
        keeper.close(); // first, so that another server leads while the last answers go out
        http.stop();
    }

    private Map<Integer, String> addresses() {
        return config.nodes().stream().collect(Collectors.toMap(NodeConfig::id, NodeConfig::ip));
    }

    private static ApiSettings settings(ServerConfig config) {
        ApiSettings usual = ApiSettings.defaults();
        return new ApiSettings(
                config.server().host(), config.server().port(), config.limits().codeSize(), config.server().waitLimit(),
                config.limits().defaultTimeLimit(), config.auth().requiredForReads(), config.server().cancelPatience(),
                usual.headerDeadline(), usual.bodyDeadline(), usual.answerDeadline(), usual.idleLimit(), usual.stopPatience());
    }
}
