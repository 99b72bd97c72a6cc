package gpuq.sync;

import gpuq.node.Node;
import gpuq.node.NodeRefused;
import gpuq.node.NodeUnreachable;
import gpuq.placement.Board;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Has a node's doctor look, on a virtual thread of its own: when the node has come back, when a job failed there through no fault of its own, and
 * now and then. A node that would fail jobs gets none, and is looked at more often until it is well.
 */
public final class Checkup implements Runnable {
    private static final Logger LOG = System.getLogger(Checkup.class.getName());
    private static final Duration WHILE_ILL = Duration.ofSeconds(10);

    private final int id;
    private final Node node;
    private final Board board;
    private final Duration between;
    private final InstantSource clock;
    private final Semaphore due = new Semaphore(0);
    private Optional<String> known = Optional.empty();

    /** @param node a conversation that nobody else waits for @param between two looks at a node that is well */
    public Checkup(int id, Node node, Board board, Duration between, InstantSource clock) {
        this.id = id;
        this.node = node;
        this.board = board;
        this.between = between;
        this.clock = clock;
    }

    /** Asks for a look now. Any thread. */
    public void soon() {
        due.release();
    }

    /** Looks until the thread is interrupted or the node is closed. */
    @Override
    public void run() {
        Duration pause = between;
        try {
            while (!node.closed()) {
                due.tryAcquire(pause.toMillis(), TimeUnit.MILLISECONDS);
                due.drainPermits();
                pause = look() ? between : WHILE_ILL.compareTo(between) < 0 ? WHILE_ILL : between;
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return whether there is no need to look again soon */
    private boolean look() {
        if (node.closed() || !board.reachable(id)) {
            return true; // it is looked at as soon as it is back
        }
        try {
            Optional<String> illness = illness(node.doctor());
            if (!illness.equals(known)) {
                LOG.log(Level.INFO, "node {0}: its doctor finds {1}", id, illness.orElse("nothing any more"));
                known = illness;
            }
            board.examined(id, illness, clock.instant());
            return illness.isEmpty();
        } catch (NodeUnreachable | NodeRefused silent) {
            LOG.log(Level.DEBUG, "node {0}: its doctor says nothing: {1}", id, silent.getMessage());
            return known.isEmpty();
        } catch (RuntimeException | Error failure) {
            LOG.log(Level.ERROR, "node " + id + ": its doctor could not be heard", failure);
            return known.isEmpty();
        } finally {
            node.hangUp();
        }
    }

    private static Optional<String> illness(List<Node.Check> checks) {
        return Optional.of(checks.stream()
                        .filter(check -> check.state() == Node.Check.State.FAIL)
                        .map(check -> check.name() + ": " + check.detail())
                        .collect(Collectors.joining("; ")))
                .filter(what -> !what.isEmpty());
    }
}
