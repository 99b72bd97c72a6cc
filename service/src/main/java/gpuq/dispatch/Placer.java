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
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;

/**
 * Finds a node for what has none: jobs that were put back, jobs placed on a node that takes no work now, and jobs placed before the server was restarted.
 * Looks once a second at the few rows of which nothing has been sent. Its loop never ends before it is closed.
 */
final class Placer implements Runnable {
    private static final Logger LOG = System.getLogger(Placer.class.getName());
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);

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

    /** Places until the thread is interrupted. */
    @Override
    public void run() {
        try {
            while (true) {
                Thread.sleep(BETWEEN_LOOKS);
                look();
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        try {
            store.unsent().forEach(this::place);
        } catch (RuntimeException failure) {
            LOG.log(Level.ERROR, "placing jobs failed and is tried again", failure);
        }
    }

    private void place(Job job) {
        if (job.cancelRequested().isPresent()) {
            progress.cancelUnsent(job);
            return;
        }
        if (job.state() instanceof State.Placed(int on) && board.active(on)) {
            couriers.get(on).take(job.id());
            return;
        }
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
