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
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Brings a database that came from a backup up to what the nodes have done since, before anything is handed out:
 *
 * <ol>
 *   <li>every node lists what it has, and jobs that the database does not know are adopted;
 *   <li>every node says the latest attempt that it knows of each unended job, also of what is released or purged there. The latest that any of them
 *       knows is the job's.
 * </ol>
 *
 * <p>The nodes are asked side by side, on a virtual thread each; but one that is silent could have any of the jobs, so each step waits until all have
 * answered. It may be cut short anywhere and begun anew: what was taken over by then is found as it is.
 */
public final class Reconciliation {
    private static final Logger LOG = System.getLogger(Reconciliation.class.getName());
    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(2);

    /** A node that knows so many more attempts of a job than the database lies. */
    private static final int MOST = 1000;

    private final Map<Integer, Node> nodes;
    private final JobStore store;
    private final Adoption adoption;
    private final BooleanSupplier over;

    private record Found(int on, JobRecord said) {}

    private record Latest(int on, int attempt) {}

    /** @param nodes by their ids @param over whether this server leads no more */
    public Reconciliation(Map<Integer, Node> nodes, JobStore store, Adoption adoption, BooleanSupplier over) {
        this.nodes = nodes;
        this.store = store;
        this.adoption = adoption;
        this.over = over;
    }

    /** Returns when every node has answered and all that they say is taken over. @return false if it was over before that */
    public boolean run() {
        LOG.log(Level.WARNING, "the database may be older than the nodes: nothing is handed out until all of them have answered: {0}", nodes.keySet());
        Map<Integer, Node.Listing> listings = ask(Node::list);
        if (!over.getAsBoolean()) {
            adopt(listings);
        }
        List<Job> unended = store.unfinished();
        Set<UUID> ids = ids(unended);
        Map<Integer, Map<UUID, Integer>> latest = ask(node -> ids.isEmpty() ? Map.of() : node.latest(ids));
        if (over.getAsBoolean()) {
            return false;
        }
        unended.forEach(job -> follow(job, latest));
        LOG.log(Level.INFO, "all nodes have answered; the database is as they are");
        return true;
    }

    /** @return what each of them answered; not all of it if it was over before */
    private <T> Map<Integer, T> ask(Function<Node, T> question) {
        Map<Integer, T> answers = new ConcurrentHashMap<>();
        sideBySide(nodes.keySet(), id -> answers.put(id, question.apply(nodes.get(id))));
        return answers;
    }

    /** Of jobs that are listed more than once the latest attempt; any other would do, it is followed up afterwards. */
    private void adopt(Map<Integer, Node.Listing> listings) {
        Map<UUID, Found> unknown = new HashMap<>();
        listings.forEach((on, listing) -> listing.jobs().stream()
                .filter(said -> said.facts().isPresent() && said.attempt() <= MOST)
                .forEach(said -> unknown.merge(said.job(), new Found(on, said), (one, other) -> one.said().attempt() > other.said().attempt() ? one : other)));
        unknown.keySet().removeAll(ids(store.unfinished()));
        Map<Integer, List<Found>> byNode = unknown.values().stream().collect(Collectors.groupingBy(Found::on));
        sideBySide(byNode.keySet(), id -> byNode.get(id).forEach(this::adopt));
    }

    /** What one node says of one job holds up no other. */
    private void adopt(Found found) {
        UUID job = found.said().job();
        try {
            if (store.find(job).isEmpty() && adoption.of(found.on(), nodes.get(found.on()), found.said()).isPresent()) {
                LOG.log(Level.INFO, "job {0} is on node {1}, and the database did not know it", job, found.on());
            }
        } catch (NodeUnreachable | NodeRefused | DatabaseException away) {
            throw away;
        } catch (RuntimeException failure) {
            LOG.log(Level.ERROR, "what node " + found.on() + " says of job " + job + " could not be taken over", failure);
        }
    }

    private void follow(Job seen, Map<Integer, Map<UUID, Integer>> heard) {
        heard.entrySet().stream()
                .filter(node -> node.getValue().containsKey(seen.id()))
                .map(node -> new Latest(node.getKey(), node.getValue().get(seen.id())))
                .filter(latest -> believed(seen, latest))
                .max(Comparator.comparingInt(Latest::attempt).thenComparing(latest -> seen.state().node().equals(OptionalInt.of(latest.on()))))
                .ifPresent(latest -> follow(seen, latest));
    }

    private static boolean believed(Job job, Latest latest) {
        boolean believed = latest.attempt() - job.attempt() <= MOST;
        if (!believed) {
            LOG.log(Level.WARNING, "node {0} says that it knows attempt {1} of job {2}, which is not believed: the database knows {3}",
                    latest.on(), latest.attempt(), job.id(), job.attempt());
        }
        return believed;
    }

    private void follow(Job seen, Latest latest) {
        Job job = seen;
        while (behind(job, latest)) {
            LOG.log(Level.INFO, "job {0}: attempt {1} is on node {2}, which the database did not know", job.id(), latest.attempt(), latest.on());
            if (store.follow(job, latest.attempt(), latest.on())) {
                return;
            }
            job = store.present(job.id());
        }
    }

    /** An attempt has one node: where it is on another one than its row says, that one, which was asked as well, does not know it. */
    private static boolean behind(Job job, Latest latest) {
        boolean unsent = job.state() instanceof State.Unplaced || job.state() instanceof State.Placed;
        boolean elsewhere = unsent || !job.state().node().equals(OptionalInt.of(latest.on()));
        return !job.ended() && (latest.attempt() > job.attempt() || latest.attempt() == job.attempt() && elsewhere);
    }

    private static Set<UUID> ids(List<Job> jobs) {
        return jobs.stream().map(Job::id).collect(Collectors.toSet());
    }

    private void sideBySide(Collection<Integer> some, Consumer<Integer> work) {
        CompletableFuture.allOf(some.stream()
                .map(id -> CompletableFuture.runAsync(() -> untilItAnswers(id, work), task -> Thread.ofVirtual().name("asking-node-" + id).start(task)))
                .toArray(CompletableFuture[]::new)).join();
    }

    private void untilItAnswers(int id, Consumer<Integer> work) {
        while (!over.getAsBoolean()) {
            try {
                work.accept(id);
                return;
            } catch (NodeUnreachable | NodeRefused away) {
                LOG.log(Level.WARNING, "node {0} does not answer, and could have what the database does not know; if it is gone, take it out of the configuration and start the server again: {1}",
                        id, away.getMessage());
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(BETWEEN_TRIES);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a node was waited for", stop); // not all of them have answered
        }
    }
}
