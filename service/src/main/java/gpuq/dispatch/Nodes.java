package gpuq.dispatch;

import gpuq.job.AttemptStore;
import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.Reason;
import gpuq.job.State;
import gpuq.launch.LaunchTemplates;
import gpuq.node.Node;
import gpuq.node.NodeRecord;
import gpuq.node.NodeRefused;
import gpuq.node.NodeUnreachable;
import gpuq.placement.Board;
import gpuq.placement.Work;
import gpuq.sync.NodeMemory;
import gpuq.sync.Progress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * The nodes on the way down: who hands jobs to them and takes waiting ones back, and what an administrator may tell them. They come and go while
 * the server runs. Any thread may call.
 */
public final class Nodes implements AutoCloseable {
    private static final Duration TELLING = Duration.ofSeconds(15);

    private final JobStore store;
    private final AttemptStore attempts;
    private final Board board;
    private final LaunchTemplates templates;
    private final Progress progress;
    private final NodeMemory memory;
    private final InstantSource clock;
    private final Map<Integer, Served> served = new ConcurrentHashMap<>();

    private record Served(Node node, Courier courier, List<Thread> threads) {}

    public Nodes(
            JobStore store, AttemptStore attempts, Board board, LaunchTemplates templates, Progress progress, NodeMemory memory, InstantSource clock) {
        this.store = store;
        this.attempts = attempts;
        this.board = board;
        this.templates = templates;
        this.progress = progress;
        this.memory = memory;
        this.clock = clock;
    }

    /** Serves these nodes too, which are on the board already, and takes up every unended job that is theirs where it was left. */
    public void add(Map<Integer, Node> nodes) {
        nodes.forEach((id, node) -> {
            Courier courier = new Courier(id, node, board, store, templates, progress, clock);
            served.put(id, new Served(node, courier, new ArrayList<>()));
        });
        List<Job> theirs = store.unfinished().stream().filter(job -> job.state().node().stream().anyMatch(nodes::containsKey)).toList();
        theirs.forEach(job -> board.take(job.state().node().orElseThrow(), Work.of(job, progress.failedOn(job))));
        theirs.stream().filter(job -> job.state() instanceof State.Sent).forEach(this::handOn);
        theirs.stream().filter(job -> job.state() instanceof State.Placed).forEach(this::handOn);
        nodes.keySet().forEach(id -> {
            Served one = served.get(id);
            Relief relief = new Relief(id, one.node(), board, store, progress, this, clock);
            one.threads().add(Thread.ofVirtual().name("courier-" + id).start(one.courier()));
            one.threads().add(Thread.ofVirtual().name("relief-" + id).start(new Round("relieving node " + id, Relief.BETWEEN, relief, one.node()::closed)));
        });
    }

    /** Serves this node no more. Its jobs stay as they are, and are taken up again when it is added again. */
    public void remove(int node) {
        Optional.ofNullable(served.remove(node)).ifPresent(gone -> gone.threads().forEach(Thread::interrupt));
    }

    @Override
    public void close() {
        served.values().forEach(one -> one.threads().forEach(Thread::interrupt));
    }

    /** Gives a job to whoever hands it over. Nothing is lost when that is told twice, and a job whose node is configured no more is placed anew. */
    void handOn(Job job) {
        Optional<Courier> courier = courier(job.state().node().orElseThrow());
        if (courier.isPresent()) {
            courier.get().take(job.id());
        } else if (job.state() instanceof State.Placed) {
            store.move(job, job.in(new State.Unplaced()));
        }
    }

    /** Nothing of a node that is not configured. */
    Optional<Courier> courier(int node) {
        return Optional.ofNullable(served.get(node)).map(Served::courier);
    }

    /** Lets a node start no more jobs; what waits there moves to other nodes. @throws Refused.NodeSilent if it does not hear that */
    public void drain(int node, String reason) {
        tell(node, told -> told.drain(reason));
    }

    /** @throws Refused.NodeSilent if it does not hear that */
    public void resume(int node) {
        tell(node, Node::resume);
    }

    private void tell(int node, Function<Node, NodeRecord> words) {
        Served told = served.get(node);
        if (told == null || !board.reachable(node)) {
            throw new Refused.NodeSilent("node %d does not answer: %s".formatted(node, board.reason(node).orElse("it is not configured")));
        }
        CompletableFuture<NodeRecord> answer = CompletableFuture.supplyAsync(() -> words.apply(told.node()), Thread::startVirtualThread);
        try {
            board.drain(node, answer.get(TELLING.toMillis(), TimeUnit.MILLISECONDS).drain(), clock.instant());
        } catch (ExecutionException failed) {
            throw switch (failed.getCause()) {
                case NodeUnreachable silent -> new Refused.NodeSilent("node %d did not take it: %s".formatted(node, silent.getMessage()));
                case NodeRefused no -> new Refused.NodeSilent("node %d did not take it: %s".formatted(node, no.getMessage()));
                default -> new IllegalStateException(failed);
            };
        } catch (TimeoutException slow) {
            throw new Refused.NodeSilent("node %d has not confirmed it in time; look at it again, it may have heard it".formatted(node));
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw new Refused.NodeSilent("the server stops");
        }
    }

    /**
     * Gives up a node that does not answer: its unended jobs are placed elsewhere, as new attempts.
     *
     * @param why one sentence without its full stop
     * @throws Refused.NodeAnswers if it is there
     * @throws Refused.NodeSilent if this server has only just begun to lead, and does not know
     */
    public void declareLost(int node, String why) {
        if (!board.heard(node)) {
            throw new Refused.NodeSilent("whether node %d answers is not known yet; say it again in a moment".formatted(node));
        }
        if (board.reachable(node)) {
            throw new Refused.NodeAnswers("node %d answers: drain it, and cancel what shall not go on".formatted(node));
        }
        keepAsLost(node, why);
        giveUp(node);
    }

    private void keepAsLost(int node, String why) {
        Instant now = clock.instant();
        memory.declareLost(node, now);
        board.lost(node, why, now);
    }

    /** Whether there are jobs of a node that is not the server's any more. */
    public boolean hasLeftJobs(int node) {
        return !served.containsKey(node) && store.unfinished().stream().anyMatch(job -> job.state().node().equals(OptionalInt.of(node)));
    }

    /** What a kill, or a race with a job on its way, left on nodes that are given up. */
    void giveUpWhatIsLost() {
        memory.lost().forEach((node, since) -> {
            if (!board.lost(node) && memory.lost().containsKey(node)) { // the answer to that commit was lost
                board.lost(node, "it was given up", since);
            }
            giveUp(node);
        });
    }

    /** The jobs are looked up before the board is asked: whatever comes to the node when it has been found is not among them. */
    private void giveUp(int node) {
        List<Job> there = store.unfinished().stream()
                .filter(job -> job.state().node().equals(OptionalInt.of(node)) && !(job.state() instanceof State.Placed)).toList();
        for (Job job : there) {
            Optional<Job> now = Optional.of(job);
            while (now.filter(j -> j.attempt() == job.attempt() && !j.ended() && givenUp(node)).isPresent()
                    && !progress.fail(now.get(), Reason.NODE_LOST, "Node %d was given up.".formatted(node), false)) {
                now = store.find(job.id());
            }
        }
        if (!board.lost(node) && served.containsKey(node) && !attempts.unsettledOn(node).isEmpty()) {
            keepAsLost(node, "it came back while it was given up"); // and was found before it could be told of the last ones
        }
    }

    /** One that answers again keeps what is there: nothing was placed elsewhere yet. */
    private boolean givenUp(int node) {
        return !served.containsKey(node) || board.lost(node) && !board.reachable(node);
    }
}
