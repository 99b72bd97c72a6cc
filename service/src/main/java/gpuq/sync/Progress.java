package gpuq.sync;

import gpuq.job.Job;
import gpuq.job.JobStore;
import gpuq.job.Outcome;
import gpuq.job.Reason;
import gpuq.job.State;
import gpuq.node.JobRecord;
import gpuq.node.JobRecord.Ending;
import gpuq.node.JobRecord.How;
import gpuq.node.JobRecord.Phase;
import gpuq.node.Node;
import gpuq.placement.Board;
import gpuq.placement.Work;
import gpuq.results.ResultsArchive;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Moves a job's row to what its node says of it, keeps its results, and answers who waits. Saying the same thing twice, or something older,
 * changes nothing. Any thread may call: the row's compare-and-set decides.
 */
public final class Progress {
    private static final Logger LOG = System.getLogger(Progress.class.getName());

    private final JobStore store;
    private final Board board;
    private final ResultsArchive archive;
    private final Endings endings;
    private final InstantSource clock;

    public Progress(JobStore store, Board board, ResultsArchive archive, Endings endings, InstantSource clock) {
        this.store = store;
        this.board = board;
        this.archive = archive;
        this.endings = endings;
        this.clock = clock;
    }

    /** Takes over what node {@code on} says of a job. */
    public void apply(int on, Node node, JobRecord said) {
        if (!said.origin().equals("server")) {
            countOperators(on, node, said);
            return;
        }
        Optional<Job> known;
        do {
            known = store.find(said.job());
            if (known.isEmpty()) {
                LOG.log(Level.WARNING, "node {0} has job {1}, which the database does not know; it is left alone", on, said.job());
                return;
            }
        } while (concerns(on, known.get(), said) && !unsent(known.get()) && !moved(known.get(), on, node, said));
        if (!concerns(on, known.get(), said) || said.phase() == Phase.ENDED && !unsent(known.get())) {
            dismiss(on, node, said);
        }
    }

    /** Ends a job without its node's word, because the node can give none. @return whether the row was still as given */
    public boolean fail(Job job, Reason reason, String detail) {
        return finish(job, startedAt(job), clock.instant(), new Outcome.Failed(reason, detail, OptionalInt.empty()));
    }

    /** Ends a job of which nothing has been sent. @return whether the row was still as given */
    public boolean cancelUnsent(Job job) {
        return finish(job, Optional.empty(), clock.instant(), new Outcome.Cancelled());
    }

    /** A database older than the node: the courier sends the job, the node says that it has it, and the row catches up from there. */
    private static boolean unsent(Job job) {
        return job.state() instanceof State.Placed;
    }

    /** Whether the node speaks of the job's present attempt, and the job still wants to hear it. */
    private static boolean concerns(int on, Job job, JobRecord said) {
        return job.attempt() == said.attempt() && job.state().node().equals(OptionalInt.of(on)) && !job.ended();
    }

    /** @return false if somebody else moved the row in between: look again */
    private boolean moved(Job job, int on, Node node, JobRecord said) {
        return switch (said.phase()) {
            case WAITING, STARTING -> !(job.state() instanceof State.Sent) || store.move(job, job.in(new State.Waiting(on)));
            case RUNNING -> job.state() instanceof State.Running || running(job, on, said.startedAt().orElseGet(clock::instant));
            case ENDED -> ended(job, node, said, said.ending().orElseThrow());
        };
    }

    private boolean running(Job job, int on, Instant startedAt) {
        boolean moved = store.move(job, job.in(new State.Running(on, startedAt)));
        if (moved) {
            board.started(job.id(), startedAt);
        }
        return moved;
    }

    private boolean ended(Job job, Node node, JobRecord said, Ending ending) {
        if (ending.how() == How.WITHDRAWN) {
            return putBack(job);
        }
        Instant at = said.endedAt().orElseGet(clock::instant);
        if (ending.how() == How.CANCELLED) {
            return finish(job, said.startedAt(), at, new Outcome.Cancelled());
        }
        byte[] stderr = Collector.stderr(node, said, ending);
        if (Collector.tooLarge(ending)) {
            archive.keep(job, at, new byte[0], stderr);
            String detail = "The results are larger than %d bytes.".formatted(ResultsArchive.MOST_DOCUMENT);
            return finish(job, said.startedAt(), at, new Outcome.Failed(Reason.RESULTS_TOO_LARGE, detail, ending.exitCode()));
        }
        Optional<byte[]> document = Collector.document(node, said, ending);
        archive.keep(job, at, document.orElse(new byte[0]), stderr);
        Outcome outcome = document
                .map(bytes -> Verdict.of(ending, said.competition().isPresent(), GradeDocument.read(bytes)))
                .orElseGet(() -> new Outcome.Failed(Reason.RESULTS_DAMAGED, "The results on the node are not what it sealed.", ending.exitCode()));
        return finish(job, said.startedAt(), at, outcome);
    }

    /** It never started there: it is to be placed again, as a new attempt. */
    private boolean putBack(Job job) {
        boolean moved = store.move(job, job.retried(new State.Unplaced()));
        if (moved) {
            board.leave(job.id());
        }
        return moved;
    }

    /** Results were kept before this; then the row, then whoever waits: an end that is told can always be read. */
    private boolean finish(Job job, Optional<Instant> startedAt, Instant at, Outcome outcome) {
        Job ended = job.in(new State.Ended(job.state().node(), startedAt, at, outcome));
        boolean moved = store.move(job, ended);
        if (moved) {
            board.leave(job.id());
            endings.ended(ended);
        }
        return moved;
    }

    private static Optional<Instant> startedAt(Job job) {
        return job.state() instanceof State.Running running ? Optional.of(running.startedAt()) : Optional.empty();
    }

    /** The server needs nothing more of this pair: an ended one is released, one that still lives is ended. */
    private void dismiss(int on, Node node, JobRecord said) {
        if (said.phase() == Phase.ENDED) {
            node.release(said.job(), said.attempt());
        } else {
            LOG.log(Level.WARNING, "node {0} still has attempt {1} of job {2}, which is over; it is cancelled there", on, said.attempt(), said.job());
            node.cancel(said.job(), said.attempt());
        }
    }

    private void countOperators(int on, Node node, JobRecord said) {
        if (said.phase() == Phase.ENDED) {
            board.leave(said.job());
            node.release(said.job(), said.attempt());
        } else {
            board.take(on, work(said));
        }
    }

    /** An operator's job as placement counts it. */
    static Work work(JobRecord said) {
        return new Work(said.job(), said.gpus(), said.expectedTime(), said.submittedAt(), said.priority(), true, said.startedAt());
    }
}
