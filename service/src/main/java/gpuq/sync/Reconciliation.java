package gpuq.sync;

import gpuq.db.DatabaseException;
import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.State;
import gpuq.node.JobRecord;
import gpuq.node.Node;
import gpuq.node.NodeRefused;
import gpuq.node.NodeUnreachable;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BooleanSupplier;

/**
 * Brings a database that came from a backup up to what the nodes have done since. Before anything is sent, every node says what it has, and
 * is asked for later attempts of all jobs that the database takes for unended. The latest attempt that any node knows is the job's; a job that
 * the database does not know is adopted. One node that is silent could have any of them, so the others wait for it.
 */
public final class Reconciliation {
    private static final Logger LOG = System.getLogger(Reconciliation.class.getName());
    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(2);

    /** So many attempts without one that the node knows: there are no later ones. */
    private static final int GAP = 8;

    /** A node that knows still more lies. */
    private static final int MOST = 1000;

    private final JobStore store;
    private final Adoption adoption;
    private final Map<UUID, Found> latest = new HashMap<>();
    private final BooleanSupplier over;

    private record Found(int on, Node node, JobRecord said) {}

    /** @param over whether this server leads no more */
    public Reconciliation(JobStore store, Adoption adoption, BooleanSupplier over) {
        this.store = store;
        this.over = over;
        this.adoption = adoption;
    }

    /** Asks until every node has answered. @return false if it was over before */
    public boolean run(Map<Integer, Node> nodes) {
        LOG.log(Level.WARNING, "the database may be older than the nodes: nothing is handed out until all of them have answered: {0}", nodes.keySet());
        Map<Integer, Node> left = new TreeMap<>(nodes);
        while (!left.isEmpty() && !over.getAsBoolean()) {
            left.entrySet().removeIf(node -> heard(node.getKey(), node.getValue()));
            if (!left.isEmpty() && !paused()) {
                return false;
            }
        }
        if (over.getAsBoolean()) {
            return false;
        }
        latest.values().forEach(this::tryToTakeOver);
        LOG.log(Level.INFO, "all nodes have answered; the database is as they are");
        return true;
    }

    private boolean heard(int id, Node node) {
        try {
            node.list().jobs().forEach(said -> found(id, node, said));
            store.unfinished().forEach(job -> askFor(job, id, node));
            return true;
        } catch (NodeUnreachable | NodeRefused away) {
            LOG.log(Level.WARNING, "node {0} does not answer, and could have what the database does not know; if it is gone, take it out of the configuration and start the server again: {1}",
                    id, away.getMessage());
            return false;
        }
    }

    private void askFor(Job job, int id, Node node) {
        for (int attempt = job.attempt(), unknown = 0; unknown < GAP && attempt < job.attempt() + MOST && !over.getAsBoolean(); attempt++) {
            try {
                found(id, node, node.status(job.id(), attempt));
                unknown = 0;
            } catch (NodeRefused refused) {
                if (refused.code() != NodeRefused.NOT_THERE) {
                    throw refused;
                }
                unknown++;
            }
        }
    }

    private void found(int on, Node node, JobRecord said) {
        latest.merge(said.job(), new Found(on, node, said), (one, other) -> one.said().attempt() > other.said().attempt() ? one : other);
    }

    /** What one node says of one job holds up no other. */
    private void tryToTakeOver(Found found) {
        try {
            takeOver(found);
        } catch (DatabaseException away) {
            throw away;
        } catch (RuntimeException failure) {
            LOG.log(Level.ERROR, "what node " + found.on() + " says of job " + found.said().job() + " could not be taken over", failure);
        }
    }

    private void takeOver(Found found) {
        JobRecord said = found.said();
        Job job = store.find(said.job()).or(() -> adoption.of(found.on(), found.node(), said)).orElse(null);
        while (job != null && behind(job, found)) {
            LOG.log(Level.INFO, "job {0}: attempt {1} is on node {2}, which the database did not know", job.id(), said.attempt(), found.on());
            if (store.follow(job, said.attempt(), found.on())) {
                return;
            }
            job = store.present(job.id());
        }
    }

    private static boolean behind(Job job, Found found) {
        int attempt = found.said().attempt();
        boolean unsent = job.state() instanceof State.Unplaced || job.state() instanceof State.Placed;
        return !job.ended() && (attempt > job.attempt() || attempt == job.attempt() && unsent);
    }

    private static boolean paused() {
        try {
            Thread.sleep(BETWEEN_TRIES);
            return true;
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
