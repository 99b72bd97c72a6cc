package gpuq;

import gpuq.config.NodeConfig;
import gpuq.config.ServerConfig;
import gpuq.dispatch.Nodes;
import gpuq.job.AttemptStore;
import gpuq.job.JobStore;
import gpuq.node.Authority;
import gpuq.node.Deadlines;
import gpuq.node.Node;
import gpuq.node.NodeLines;
import gpuq.placement.Board;
import gpuq.sync.Checkup;
import gpuq.sync.Follower;
import gpuq.sync.NodeMemory;
import gpuq.sync.Progress;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The nodes of the configuration, each with its conversations and those who hold them; it becomes another while the server runs. */
final class Fleet implements AutoCloseable {
    private final Board board;
    private final Nodes nodes;
    private final JobStore store;
    private final AttemptStore attempts;
    private final NodeMemory memory;
    private final Progress progress;
    private final Authority authority;
    private final InstantSource clock;
    private final Map<Integer, Member> members = new TreeMap<>();

    private record Member(NodeConfig node, ServerConfig.Link link, NodeLines lines, List<Thread> threads) {}

    Fleet(Board board, Nodes nodes, JobStore store, AttemptStore attempts, NodeMemory memory, Progress progress, Authority authority,
            InstantSource clock) {
        this.board = board;
        this.nodes = nodes;
        this.store = store;
        this.attempts = attempts;
        this.memory = memory;
        this.progress = progress;
        this.authority = authority;
        this.clock = clock;
    }

    /**
     * Lets go of the nodes that are not in the configuration any more, or otherwise than before, and reaches for those that are new in it.
     * The jobs of a node that goes stay as they are.
     *
     * @return what was changed, in words for the log
     */
    synchronized String become(List<NodeConfig> wanted, ServerConfig.Link link) {
        List<Integer> gone = members.values().stream()
                .filter(member -> !wanted.contains(member.node()) || !member.link().equals(link)).map(member -> member.node().id()).toList();
        gone.forEach(this::leave);
        List<NodeConfig> added = wanted.stream().filter(node -> !members.containsKey(node.id())).toList();
        try {
            join(added, link);
        } catch (RuntimeException failure) {
            added.stream().map(NodeConfig::id).filter(members::containsKey).forEach(this::leave); // so that the next try finds them missing
            throw failure;
        }
        return "nodes let go: %s; nodes reached for: %s".formatted(gone, added.stream().map(NodeConfig::id).toList());
    }

    private void join(List<NodeConfig> added, ServerConfig.Link link) {
        Map<Integer, Instant> lost = memory.lost();
        Map<Integer, Node> down = new TreeMap<>();
        for (NodeConfig node : added) {
            int id = node.id();
            NodeLines lines = reach(node, link, authority);
            members.put(id, new Member(node, link, lines, new ArrayList<>()));
            board.add(id, node.ip(), clock.instant());
            memory.find(id).ifPresent(known -> board.remember(id, known.capacity()));
            if (lost.containsKey(id)) {
                board.lost(id, "it was given up", lost.get(id));
            }
            down.put(id, lines.down());
        }
        nodes.add(down); // first, so that every job is counted where it is before anybody hears more of it
        down.keySet().forEach(id -> follow(members.get(id)));
    }

    private void follow(Member member) {
        int id = member.node().id();
        Checkup checkup = new Checkup(id, member.lines().aside(), board, member.link().checkup(), clock);
        Follower follower = new Follower(id, member.lines().back(), board, store, attempts, memory, progress, checkup, clock);
        member.threads().add(Thread.ofVirtual().name("checkup-" + id).start(checkup));
        member.threads().add(Thread.ofVirtual().name("follower-" + id).start(follower));
    }

    private void leave(int id) {
        stop(members.remove(id));
        nodes.remove(id);
        board.remove(id);
    }

    /** Stops listening. What runs on the nodes goes on. */
    @Override
    public synchronized void close() {
        members.values().forEach(Fleet::stop);
    }

    private static void stop(Member member) {
        member.lines().close(); // first: a thread whose interrupt is swallowed finds it closed
        member.threads().forEach(Thread::interrupt);
    }

    static NodeLines reach(NodeConfig node, ServerConfig.Link link, Authority authority) {
        Deadlines deadlines = Deadlines.of(link.patience(), link.heartbeat());
        return switch (node) {
            case NodeConfig.Local local -> NodeLines.local(Integer.toString(local.id()), local.command(), local.config(), authority, deadlines);
            case NodeConfig.Ssh ssh -> NodeLines.ssh(Integer.toString(ssh.id()), ssh.address(), authority, deadlines);
        };
    }
}
