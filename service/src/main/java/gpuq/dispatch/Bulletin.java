package gpuq.dispatch;

import gpuq.placement.Board;
import gpuq.placement.NodeView;
import gpuq.placement.Standing;
import gpuq.sync.NodeMemory;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;

/** Writes down, whenever it changes, how the nodes are: for the servers that do not lead. */
final class Bulletin implements Runnable {
    private final Board board;
    private final NodeMemory memory;
    private final InstantSource clock;
    private final Map<Integer, Standing> written = new HashMap<>();

    Bulletin(Board board, NodeMemory memory, InstantSource clock) {
        this.board = board;
        this.memory = memory;
        this.clock = clock;
    }

    @Override
    public void run() {
        for (NodeView node : board.views(clock.instant())) {
            if (!node.standing().equals(written.get(node.id()))) {
                memory.keep(node.id(), node.standing());
                written.put(node.id(), node.standing());
            }
        }
    }
}
