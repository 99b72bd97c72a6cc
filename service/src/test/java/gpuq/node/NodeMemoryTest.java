package gpuq.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import gpuq.db.Database;
import gpuq.db.DatabaseSettings;
import gpuq.node.NodeMemory.Known;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeMemoryTest {
    @TempDir Path folder;
    Database database;
    NodeMemory memory;

    @BeforeEach
    void open() {
        database = Database.open(DatabaseSettings.embedded(folder.resolve("gpuq")));
        memory = new NodeMemory(database);
    }

    @AfterEach
    void close() {
        database.close();
    }

    @Test
    void what_a_node_said_last_is_known_after_a_restart() {
        memory.save(3, "spool-3", 8, Set.of("b", "a"));
        memory.save(0, "spool-0", 1, Set.of());
        memory.save(3, "spool-3", 7, Set.of("a", "c"));
        memory.save(3, "spool-3", 7, Set.of("a", "c"));
        close();
        open();
        assertEquals(List.of(new Known(0, "spool-0", 1, Set.of()), new Known(3, "spool-3", 7, Set.of("a", "c"))), memory.load());
    }

    @Test
    void a_node_that_goes_back_to_what_it_said_before_is_believed() {
        memory.save(1, "s", 2, Set.of("a"));
        memory.save(1, "s", 3, Set.of("a"));
        memory.save(1, "s", 2, Set.of("a"));
        assertEquals(List.of(new Known(1, "s", 2, Set.of("a"))), memory.load());
    }
}
