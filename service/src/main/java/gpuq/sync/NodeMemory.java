package gpuq.sync;

import gpuq.db.Database;
import gpuq.placement.Capacity;
import java.util.Map;

/** What the nodes last said of themselves, so that a restarted server knows the competitions of a node that is away. */
public final class NodeMemory {

    public NodeMemory(Database database) {}

    public void save(int node, String spool, Capacity capacity) {
        throw new UnsupportedOperationException();
    }

    /** By node id. */
    public Map<Integer, Capacity> load() {
        throw new UnsupportedOperationException();
    }
}
