package gpuq.sync;

import gpuq.db.Database;
import gpuq.db.Row;
import gpuq.placement.Capacity;
import gpuq.placement.Standing;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the nodes last said of themselves, so that a restarted server knows a node that is away, and notices one whose spool was replaced. */
public final class NodeMemory {
    private static final int LONGEST_REASON = 1000;

    private final Database database;

    public NodeMemory(Database database) {
        this.database = database;
    }

    /** @param spool the identity of the node's spool */
    public record Known(String spool, Capacity capacity) {}

    public void save(int node, Known known) {
        Map<String, @Nullable Object> row = new HashMap<>();
        row.put("node_id", node);
        row.put("spool", known.spool());
        row.put("version", known.capacity().version());
        row.put("slots", known.capacity().slots());
        row.put("template", known.capacity().template().orElse(null));
        row.put("competitions", known.capacity().competitions().stream().sorted().collect(Collectors.joining("\n")));
        database.update("""
                REPLACE INTO nodes (node_id, spool, version, slots, template, competitions)
                VALUES (:node_id, :spool, :version, :slots, :template, :competitions)""", row);
    }

    public Optional<Known> find(int node) {
        return database.find("SELECT spool, version, slots, template, competitions FROM nodes WHERE node_id = :node_id",
                Map.of("node_id", node), NodeMemory::known);
    }

    /** Keeps whether a node takes work, and why not, for the servers that do not lead. */
    public void keep(int node, Standing standing) {
        Map<String, @Nullable Object> row = new HashMap<>();
        row.put("node_id", node);
        row.put("status", standing.status());
        row.put("reason", standing.reason().map(NodeMemory::clipped).orElse(null));
        row.put("since", Row.micros(standing.since()));
        database.update("REPLACE INTO node_conditions (node_id, status, reason, since) VALUES (:node_id, :status, :reason, :since)", row);
    }

    /** Of every node that a server ever led. */
    public Map<Integer, Standing> standings() {
        return database.query("SELECT node_id, status, reason, since FROM node_conditions", Map.of(),
                        row -> Map.entry(row.number("node_id"), new Standing(row.text("status"), row.optionalText("reason"), row.moment("since"))))
                .stream().collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    /** Keeps that a node was given up, since when. Again does no harm. */
    public void declareLost(int node, Instant at) {
        database.update("REPLACE INTO lost_nodes (node_id, declared_at) VALUES (:node_id, :at)", Map.of("node_id", node, "at", Row.micros(at)));
    }

    /** The nodes that were given up and have not been found again. */
    public Map<Integer, Instant> lost() {
        return database.query("SELECT node_id, declared_at FROM lost_nodes", Map.of(),
                        row -> Map.entry(row.number("node_id"), row.moment("declared_at")))
                .stream().collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    public void found(int node) {
        database.update("DELETE FROM lost_nodes WHERE node_id = :node_id", Map.of("node_id", node));
    }

    private static String clipped(String reason) {
        return reason.substring(0, Math.min(LONGEST_REASON, reason.length()));
    }

    private static Known known(Row row) {
        Set<String> competitions = row.text("competitions").lines().collect(Collectors.toSet());
        return new Known(row.text("spool"), new Capacity(row.number("slots"), competitions, row.optionalText("template"), row.text("version")));
    }
}
