package gpuq.dispatch;

import gpuq.job.Job;
import gpuq.job.State;
import gpuq.placement.Board;
import java.util.OptionalInt;

/**
 * Why a pending job waits.
 *
 * @param position 1 for the next to start on its node
 * @param reason a stable code: {@code queued}, {@code being_sent}, {@code node_unreachable}, {@code no_active_node}, {@code cancel_requested}
 * @param detail one sentence
 */
public record Waiting(OptionalInt position, String reason, String detail) {

    static Waiting of(Job job, Board board) {
        OptionalInt position = board.position(job.id());
        if (job.cancelRequested().isPresent()) {
            return new Waiting(position, "cancel_requested", "Its owner asked to cancel it; its node has not confirmed that yet.");
        }
        if (job.state().node().isEmpty()) {
            return new Waiting(position, "no_active_node", job.submission().node().isPresent()
                    ? "Node %d, which it asks for, cannot take it now; it is placed as soon as that can.".formatted(job.submission().node().getAsInt())
                    : "No node can take it now; it is placed as soon as one can.");
        }
        int on = job.state().node().getAsInt();
        if (!board.reachable(on)) {
            String why = board.reason(on).orElse("it is not configured");
            return new Waiting(position, "node_unreachable", "Node %d, which it is placed on, does not answer: %s.".formatted(on, why));
        }
        if (job.state() instanceof State.Waiting) {
            String where = position.isPresent() ? "%d in the queue of node %d".formatted(position.getAsInt(), on) : "about to start on node " + on;
            String but = board.reason(on).map(why -> ", which takes no work now (%s); it moves as soon as another node can take it".formatted(why)).orElse("");
            return new Waiting(position, "queued", "It is " + where + but + ".");
        }
        return new Waiting(position, "being_sent", "It is being handed to node %d.".formatted(on));
    }
}
