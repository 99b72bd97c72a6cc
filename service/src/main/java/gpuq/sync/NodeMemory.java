package gpuq.sync;

import gpuq.db.Database;
import gpuq.db.Row;
import gpuq.placement.Capacity;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the nodes last said of themselves, so that a restarted server knows the competitions of a node that is away. */
public final class NodeMemory {
    private final Database database;

    public NodeMemory(Database database) {
        this.database = database;
    }

    /** @param spool the identity of the node's spool */
    public void save(int node, String spool, Capacity capacity) {
        Map<String, @Nullable Object> row = new HashMap<>();
        row.put("node_id", node);
        row.put("spool", spool);
        row.put("version", capacity.version());
        row.put("slots", capacity.slots());
        row.put("template", capacity.template().orElse(null));
        row.put("competitions", capacity.competitions().stream().sorted().collect(Collectors.joining("\n")));
        database.update("""
                REPLACE INTO nodes (node_id, spool, version, slots, template, competitions)
                VALUES (:node_id, :spool, :version, :slots, :template, :competitions)""", row);
    }

    /** By node id. */
    public Map<Integer, Capacity> load() {
        Map<Integer, Capacity> nodes = new HashMap<>();
        database.query("SELECT node_id, version, slots, template, competitions FROM nodes", Map.of(),
                row -> Map.entry(row.number("node_id"), capacity(row))).forEach(node -> nodes.put(node.getKey(), node.getValue()));
        return nodes;
    }

    private static Capacity capacity(Row row) {
        Set<String> competitions = row.text("competitions").lines().collect(Collectors.toSet());
        return new Capacity(row.number("slots"), competitions, row.optionalText("template"), row.text("version"));
    }
}
