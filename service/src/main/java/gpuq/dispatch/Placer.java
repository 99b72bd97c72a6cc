package gpuq.dispatch;

import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.State;
import gpuq.placement.Board;
import gpuq.placement.Choice;
import gpuq.placement.Work;
import gpuq.sync.Progress;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.InstantSource;
import java.util.Map;

/** Finds a node for what has none: jobs that were put back, and jobs placed on a node that takes no work now. */
final class Placer implements Runnable {
    private static final Logger LOG = System.getLogger(Placer.class.getName());

    private static final int AT_ONCE = 200;

    private final JobStore store;
    private final Board board;
    private final Map<Integer, Courier> couriers;
    private final Progress progress;
    private final InstantSource clock;

    Placer(JobStore store, Board board, Map<Integer, Courier> couriers, Progress progress, InstantSource clock) {
        this.store = store;
        this.board = board;
        this.couriers = couriers;
        this.progress = progress;
        this.clock = clock;
    }

    /** One look at the oldest of them; a job that fails holds up no other. */
    @Override
    public void run() {
        store.unplaced(AT_ONCE).forEach(this::place);
        board.inactive().forEach(node -> store.placedOn(node, AT_ONCE).forEach(this::place));
    }

    private void place(Job job) {
        try {
            if (job.cancelRequested().isPresent()) {
                progress.cancelUnsent(job);
            } else {
                placeElsewhere(job);
            }
        } catch (RuntimeException failure) {
            LOG.log(Level.ERROR, "placing job " + job.id() + " failed and is tried again", failure);
        }
    }

    private void placeElsewhere(Job job) {
        board.leave(job.id());
        Choice choice = board.reserve(job.id(), job.submission(), job.createdAt(), clock.instant());
        if (choice instanceof Choice.On(int node) && store.move(job, job.in(new State.Placed(node)))) {
            couriers.get(node).take(job.id());
        } else {
            board.leave(job.id());
            job.state().node().ifPresent(on -> board.take(on, Work.of(job)));
        }
    }
}
