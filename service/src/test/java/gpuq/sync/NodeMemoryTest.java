package gpuq.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;

import gpuq.db.Database;
import gpuq.db.TestDatabase;
import gpuq.placement.Capacity;
import gpuq.sync.NodeMemory.Known;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeMemoryTest {
    @TempDir
    private Path folder;

    @Test
    void what_a_node_said_last_is_known_after_a_restart() {
        Known small = new Known("spool-a", new Capacity(1, Set.of(), Optional.empty(), "0.1.0"));
        Known large = new Known("spool-b", new Capacity(8, Set.of("a", "b"), Optional.of("process"), "0.2.0"));
        try (Database database = open()) {
            NodeMemory memory = new NodeMemory(database);
            memory.save(0, small);
            memory.save(3, small);
            memory.save(3, large);
        }
        try (Database database = open()) {
            NodeMemory memory = new NodeMemory(database);
            assertEquals(Optional.of(small), memory.find(0));
            assertEquals(Optional.of(large), memory.find(3));
            assertEquals(Optional.empty(), memory.find(1));
        }
    }

    private Database open() {
        return Database.open(TestDatabase.in(folder));
    }
}
