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
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Finds a node for what has none: jobs that were put back, and jobs placed on a node that takes no work now. */
final class Placer implements Runnable {
    private static final Logger LOG = System.getLogger(Placer.class.getName());

    private static final int PAGE = 200;

    private final JobStore store;
    private final Board board;
    private final Nodes nodes;
    private final Progress progress;
    private final InstantSource clock;

    Placer(JobStore store, Board board, Nodes nodes, Progress progress, InstantSource clock) {
        this.store = store;
        this.board = board;
        this.nodes = nodes;
        this.progress = progress;
        this.clock = clock;
    }

    /** One look at all of them, the oldest first; a job that fails, or that no node can take, holds up no other. */
    @Override
    public void run() {
        eachOf(last -> store.unplaced(last, PAGE));
        board.inactive().forEach(node -> eachOf(last -> store.placedOn(node, last, PAGE)));
    }

    private void eachOf(Function<Optional<Job>, List<Job>> page) {
        List<Job> jobs = page.apply(Optional.empty());
        while (!jobs.isEmpty()) {
            jobs.forEach(this::place);
            jobs = jobs.size() < PAGE ? List.of() : page.apply(Optional.of(jobs.getLast()));
        }
    }

    private void place(Job job) {
        try {
            if (job.cancelRequested().isPresent()) {
                progress.cancelUnsent(job);
            } else if (board.canTake(job.submission(), clock.instant())) {
                placeElsewhere(job);
            }
        } catch (RuntimeException failure) {
            LOG.log(Level.ERROR, "placing job " + job.id() + " failed and is tried again", failure);
        }
    }

    private void placeElsewhere(Job job) {
        board.leave(job.id());
        Set<Integer> failedOn = progress.failedOn(job);
        Choice choice = board.reserve(job.id(), job.submission(), failedOn, job.createdAt(), clock.instant());
        Job placed = choice instanceof Choice.On(int node) ? job.in(new State.Placed(node)) : job;
        if (placed != job && store.move(job, placed)) {
            nodes.handOn(placed);
        } else {
            board.leave(job.id());
            job.state().node().ifPresent(on -> board.take(on, Work.of(job, failedOn)));
        }
    }
}
