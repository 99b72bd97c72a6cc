package gpuq.sync;

import gpuq.job.Attempt;
import gpuq.job.AttemptStore;
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
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Moves a job's row to what its node says of it, keeps its results, and answers who waits. Saying the same thing twice, or something older,
 * changes nothing. Any thread may call: the row's compare-and-set decides.
 */
public final class Progress {
    private static final Logger LOG = System.getLogger(Progress.class.getName());

    /** The most attempts that the system may fail. */
    private static final int MOST_FAILURES = 3;

    private final JobStore store;
    private final AttemptStore attempts;
    private final Board board;
    private final ResultsArchive archive;
    private final Endings endings;
    private final Adoption adoption;
    private final Runnable older;
    private final InstantSource clock;

    /** @param older told when a node has gone on with a job further than the database knows */
    public Progress(JobStore store, AttemptStore attempts, Board board, ResultsArchive archive, Endings endings, Runnable older, InstantSource clock) {
        this.store = store;
        this.attempts = attempts;
        this.board = board;
        this.archive = archive;
        this.endings = endings;
        this.adoption = new Adoption(store);
        this.older = older;
        this.clock = clock;
    }

    /** Takes over what node {@code on} says of a job. */
    public void apply(int on, Node node, JobRecord said) {
        Optional<Job> known;
        do {
            known = store.find(said.job()).or(() -> adopted(on, node, said));
            if (known.isEmpty()) {
                return; // nobody knows what it was
            }
        } while (concerns(on, known.get(), said) && !ahead(on, known.get(), said) && !moved(known.get(), on, node, said));
        if (known.get().ended()) {
            told(known.get()); // it may have been committed while its answer was lost, and nobody was told
        }
        if (ahead(on, known.get(), said)) {
            LOG.log(Level.ERROR, "node {0} has attempt {1} of job {2}, which the database does not know: it is older than the node", on, said.attempt(), said.job());
            older.run();
        } else if (!concerns(on, known.get(), said) || said.phase() == Phase.ENDED) {
            dismiss(on, node, said);
        }
    }

    private Optional<Job> adopted(int on, Node node, JobRecord said) {
        Optional<Job> job = adoption.of(on, node, said);
        job.filter(j -> !j.ended()).ifPresent(j -> board.take(on, Work.of(j, Set.of())));
        return job;
    }

    /**
     * The system failed a job, and its node says nothing of it: it is tried again, or ended if that was the last time.
     *
     * @param settled whether nothing of it runs there any more
     * @return whether the row was still as given
     */
    public boolean fail(Job job, Reason reason, String detail, boolean settled) {
        return failed(job, startedAt(job), clock.instant(), new Outcome.Failed(reason, detail, OptionalInt.empty()), settled);
    }

    /** The node gave a waiting job back for another one to have. @return whether the row was still as given */
    public boolean movedTo(Job job, int to) {
        String detail = "It waited on node %d, and node %d could take it.".formatted(job.state().node().orElseThrow(), to);
        boolean moved = store.giveUp(job, job.retried(new State.Placed(to)), Attempt.moved(job, clock.instant(), detail));
        if (moved) {
            board.take(to, Work.of(job, failedOn(job)));
        }
        return moved;
    }

    /** The nodes that have failed a job. */
    public Set<Integer> failedOn(Job job) {
        return job.attempt() == 1 ? Set.of() : attempts.of(job.id()).stream().filter(Attempt::failed)
                .flatMapToInt(a -> a.on().stream()).boxed().collect(Collectors.toUnmodifiableSet());
    }

    /** Ends a job of which nothing has been sent. @return its end; nothing if the row was not as given any more */
    public Optional<Job> cancelUnsent(Job job) {
        Job end = end(job, Optional.empty(), clock.instant(), new Outcome.Cancelled());
        return ended(end, cancelled -> store.move(job, cancelled)) ? Optional.of(end) : Optional.empty();
    }

    /** Whether the node was given the job after the last thing that the database knows of it. */
    private static boolean ahead(int on, Job job, JobRecord said) {
        boolean here = job.state().node().equals(OptionalInt.of(on)); // and an attempt has one node
        boolean unsent = here && job.state() instanceof State.Placed; // `sent` is committed before the first byte goes out
        boolean later = said.attempt() > job.attempt() || said.attempt() == job.attempt() && !here;
        return !job.ended() && (later && !said.tombstone() || said.attempt() == job.attempt() && unsent);
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
        Instant at = said.endedAt().orElseGet(clock::instant);
        if (ending.how() == How.WITHDRAWN && !job.operators()) {
            return putBack(job, Attempt.moved(job, at, "Node %d gave it back before it had started.".formatted(job.state().node().orElseThrow())));
        }
        if (ending.how() == How.CANCELLED || ending.how() == How.WITHDRAWN) {
            return finish(job, said.startedAt(), at, new Outcome.Cancelled());
        }
        Optional<byte[]> document = document(job, node, said, ending);
        Outcome outcome = said.tombstone() && document.isEmpty() ? purged(job, ending) : outcome(job, ending, document);
        if (outcome instanceof Outcome.Failed failed && again(job, failed)) {
            return putBack(job, Attempt.failed(job, said.startedAt(), at, failed, true));
        }
        archive.keep(job, at, document.orElse(new byte[0]), Collector.stderr(node, said, ending));
        return finish(job, said.startedAt(), at, outcome);
    }

    /** @return nothing if it cannot be had as it was sealed; of a job that was purged, if it is not here either */
    private Optional<byte[]> document(Job job, Node node, JobRecord said, Ending ending) {
        if (said.tombstone() && ending.how() == How.EXITED && job.submission().competitionId().isPresent()) {
            return archive.document(job);
        }
        return Collector.tooLarge(ending) ? Optional.of(new byte[0]) : Collector.document(node, said, ending);
    }

    private static Outcome purged(Job job, Ending ending) {
        String detail = "The job ended, and node %d had purged its results before this server's database, which came from a backup, knew of that.";
        return new Outcome.Failed(Reason.RESULTS_PURGED, detail.formatted(job.state().node().orElseThrow()), ending.exitCode());
    }

    /** @param document empty bytes if it is too large, or if there is none; nothing if it cannot be had as it was sealed */
    private static Outcome outcome(Job job, Ending ending, Optional<byte[]> document) {
        if (Collector.tooLarge(ending)) {
            String detail = "The results are larger than %d bytes.".formatted(ResultsArchive.MOST_DOCUMENT);
            return new Outcome.Failed(Reason.RESULTS_TOO_LARGE, detail, ending.exitCode());
        }
        return document
                .map(bytes -> Verdict.of(ending, job.submission().competitionId().isPresent(), GradeDocument.read(bytes)))
                .orElseGet(() -> new Outcome.Failed(Reason.RESULTS_DAMAGED, "The results on the node are not what it sealed.", ending.exitCode()));
    }

    private boolean failed(Job job, Optional<Instant> startedAt, Instant at, Outcome.Failed how, boolean settled) {
        Attempt last = Attempt.failed(job, startedAt, at, how, settled);
        return again(job, how) ? putBack(job, last) : ended(end(job, startedAt, at, how),
                end -> settled ? store.move(job, end) : store.giveUp(job, end, last));
    }

    /** Only what the system failed is tried again, and only so often: a job that breaks its nodes stops doing so. */
    private boolean again(Job job, Outcome.Failed how) {
        return how.because().fault() == Reason.Fault.SYSTEM && !job.operators() && job.cancelRequested().isEmpty() && failures(job) + 1 < MOST_FAILURES;
    }

    /** Attempts before this one that the system failed. One of which a database from a backup knows nothing may have been the last that was allowed. */
    private long failures(Job job) {
        List<Attempt> known = attempts.of(job.id()).stream().filter(attempt -> attempt.number() < job.attempt()).toList();
        return job.attempt() - 1 - known.stream().filter(attempt -> !attempt.failed()).count();
    }

    /** To be placed again, as a new attempt. */
    private boolean putBack(Job job, Attempt last) {
        boolean moved = store.giveUp(job, job.retried(new State.Unplaced()), last);
        if (moved) {
            LOG.log(Level.INFO, "job {0}: attempt {1} is over: {2}", job.id(), last.number(), last.detail());
            board.leave(job.id());
        }
        return moved;
    }

    /** Results were kept before this; then the row, then whoever waits: an end that is told can always be read. */
    private boolean finish(Job job, Optional<Instant> startedAt, Instant at, Outcome outcome) {
        return ended(end(job, startedAt, at, outcome), end -> store.move(job, end));
    }

    private static Job end(Job job, Optional<Instant> startedAt, Instant at, Outcome outcome) {
        return job.in(new State.Ended(job.state().node(), startedAt, at, outcome));
    }

    private boolean ended(Job ended, Predicate<Job> move) {
        boolean moved = move.test(ended);
        if (moved) {
            told(ended);
        }
        return moved;
    }

    private void told(Job ended) {
        board.leave(ended.id());
        endings.ended(ended);
    }

    private static Optional<Instant> startedAt(Job job) {
        return job.state() instanceof State.Running running ? Optional.of(running.startedAt()) : Optional.empty();
    }

    /** The server needs nothing more of this pair: an ended one is released, one that still lives is ended. */
    private void dismiss(int on, Node node, JobRecord said) {
        if (said.phase() == Phase.ENDED) {
            node.release(said.job(), said.attempt());
        } else if (said.byHand()) {
            LOG.log(Level.WARNING, "node {0} has job {1}, submitted there by hand, which is known elsewhere or as ended; it is left alone", on, said.job());
        } else {
            LOG.log(Level.WARNING, "node {0} still has attempt {1} of job {2}, which is over; it is cancelled there", on, said.attempt(), said.job());
            node.cancel(said.job(), said.attempt());
        }
    }
}
