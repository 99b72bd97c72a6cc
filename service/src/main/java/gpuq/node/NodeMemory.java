package gpuq.node;

import gpuq.db.Database;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the nodes said of themselves when they last could be reached, so that after a restart a silent node's competitions are still known.
 * Any thread may call; throws {@link gpuq.db.DatabaseUnavailable} when the database does not answer.
 */
public final class NodeMemory {
    private final Database database;
    private final Map<Integer, Known> saved = new ConcurrentHashMap<>();

    public NodeMemory(Database database) {
        this.database = database;
    }

    /** Commits what a node said; saying the same again writes nothing. @param competitions ids, without white space */
    public void save(int nodeId, String spool, int slots, Set<String> competitions) {
        Known known = new Known(nodeId, spool, slots, Set.copyOf(competitions));
        if (known.equals(saved.get(nodeId))) {
            return;
        }
        database.update("""
                INSERT INTO nodes (node_id, spool, slots, competitions) VALUES (:node_id, :spool, :slots, :competitions)
                ON DUPLICATE KEY UPDATE spool = VALUES(spool), slots = VALUES(slots), competitions = VALUES(competitions)""",
                Map.of("node_id", nodeId, "spool", spool, "slots", slots, "competitions", String.join(" ", new TreeSet<>(competitions))));
        saved.put(nodeId, known);
    }

    /** All nodes that were ever saved, by id. */
    public List<Known> load() {
        return database.query("SELECT node_id, spool, slots, competitions FROM nodes ORDER BY node_id", Map.of(),
                row -> new Known(row.number("node_id"), row.text("spool"), row.number("slots"), competitions(row.text("competitions"))));
    }

    private static Set<String> competitions(String text) {
        return text.isEmpty() ? Set.of() : Set.of(text.split(" "));
    }

    /** @param spool the id of its spool: another one means that the node was set up anew */
    public record Known(int nodeId, String spool, int slots, Set<String> competitions) {}
}
