package gpuq.sync;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import gpuq.db.Database;
import gpuq.db.Row;
import gpuq.db.TestDatabase;
import gpuq.job.AttemptStore;
import gpuq.job.Job;
import gpuq.job.JobSamples;
import gpuq.job.JobStore;
import gpuq.job.Outcome;
import gpuq.job.Reason;
import gpuq.job.State;
import gpuq.node.Authority;
import gpuq.node.Deadlines;
import gpuq.node.JobRecord;
import gpuq.node.JobRecord.Ending;
import gpuq.node.JobRecord.Facts;
import gpuq.node.JobRecord.How;
import gpuq.node.JobRecord.Phase;
import gpuq.node.NodeLines;
import gpuq.node.Scripts;
import gpuq.placement.Board;
import gpuq.results.ResultsArchive;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a node says, held against the row. */
class ProgressTest {
    private static final String GRADED = "{\"valid_solution\": true, \"grading_report\": {\"score\": 0.5}}";

    @TempDir
    private Path folder;

    private final AtomicInteger older = new AtomicInteger();
    private Database database;
    private JobStore store;
    private NodeLines node;
    private ResultsArchive archive;
    private Progress progress;

    @BeforeEach
    void open() throws IOException {
        database = Database.open(TestDatabase.in(folder));
        store = new JobStore(database);
        node = NodeLines.local("n0", Scripts.gpuq(), Scripts.configuration(folder, 1), new Authority(1, later -> { }), Deadlines.USUAL);
        archive = new ResultsArchive(folder.resolve("data"), Optional.empty());
        progress = new Progress(store, new AttemptStore(database), new Board(Set.of()), archive,
                new Endings(), older::incrementAndGet, InstantSource.fixed(JobSamples.T0));
    }

    @AfterEach
    void close() {
        node.close();
        database.close();
    }

    @Test
    void a_node_that_has_what_was_not_sent_to_it_proves_the_database_older() {
        for (Phase phase : Phase.values()) {
            Job job = row(new State.Placed(0));
            older.set(0);
            progress.apply(0, node.back(), said(job, "sarang", phase));
            assertEquals(1, older.get(), phase::name);
            assertEquals(job, store.present(job.id()), "it is for the reconciliation to say where the job is");
        }
    }

    @Test
    void so_does_a_tombstone_of_what_was_not_sent() {
        Job job = row(new State.Placed(0));
        progress.apply(0, node.back(), said(job, "", Phase.ENDED));
        assertEquals(1, older.get());
        assertEquals(job, store.present(job.id()));
    }

    @Test
    void what_was_sent_goes_on_and_proves_nothing() {
        Job job = row(new State.Sent(0));
        progress.apply(0, node.back(), said(job, "sarang", Phase.WAITING));
        progress.apply(0, node.back(), said(job, "sarang", Phase.RUNNING));
        assertEquals(new State.Running(0, JobSamples.T0), store.present(job.id()).state());
        assertEquals(0, older.get());
    }

    @Test
    void what_was_purged_before_the_database_knew_of_its_end_is_not_run_again() throws IOException {
        Job job = row(new State.Waiting(0));
        progress.apply(0, node.back(), purged(job));
        var ended = (State.Ended) store.present(job.id()).state();
        assertEquals(Optional.of(Reason.RESULTS_PURGED), ended.outcome().reason());
        assertEquals(OptionalInt.of(0), ended.outcome().exitCode());
    }

    @Test
    void its_results_are_taken_from_where_they_were_kept() throws IOException {
        Job job = row(new State.Waiting(0));
        byte[] document = GRADED.getBytes(StandardCharsets.UTF_8);
        archive.keep(job, JobSamples.T0, document, new byte[0]);
        progress.apply(0, node.back(), purged(job));
        var ended = (State.Ended) store.present(job.id()).state();
        assertEquals(new Outcome.Completed(0), ended.outcome());
        assertArrayEquals(document, archive.document(store.present(job.id())).orElseThrow());
    }

    @Test
    void attempts_that_nobody_remembers_are_not_made_again() {
        Job first = row(new State.Waiting(0));
        store.follow(first, 3, 0); // as a reconciliation does
        Job job = store.present(first.id());
        node.back().cancel(job.id(), 3); // it knows this one
        progress.apply(0, node.back(), said(job, "sarang", Phase.ENDED, How.SYSTEM));
        var ended = (State.Ended) store.present(job.id()).state();
        assertEquals(Optional.of(Reason.LAUNCH_FAILED), ended.outcome().reason());
    }

    @Test
    void one_that_a_database_from_a_backup_remembers_less_of_has_fewer_left() {
        Job first = row(new State.Waiting(0));
        store.follow(first, 2, 0);
        Job job = store.present(first.id());
        node.back().cancel(job.id(), 2);
        progress.apply(0, node.back(), said(job, "sarang", Phase.ENDED, How.SYSTEM));
        assertEquals(3, store.present(job.id()).attempt());
        assertEquals(new State.Unplaced(), store.present(job.id()).state());
    }

    private Job row(State state) {
        Job job = JobSamples.job("sarang", JobSamples.T0, state);
        store.insert(job, "pass", Optional.empty());
        return job;
    }

    /** What its node says of it when it keeps no more than the line that a purge leaves. */
    private JobRecord purged(Job job) throws IOException {
        node.back().info(); // there is a spool from now on
        Files.writeString(folder.resolve("spool/purged/%s.1".formatted(job.id())), "exited %d 4 0%n".formatted(Row.micros(JobSamples.T0)));
        return node.back().status(job.id(), 1);
    }

    /** @param user nobody for a tombstone */
    private static JobRecord said(Job job, String user, Phase phase) {
        return said(job, user, phase, How.CANCELLED);
    }

    private static JobRecord said(Job job, String user, Phase phase, How how) {
        Optional<Ending> ending = phase == Phase.ENDED
                ? Optional.of(new Ending(how, OptionalInt.empty(), "", "", Optional.empty(), 0)) : Optional.empty();
        Facts facts = new Facts("server", user, Optional.of("random-acts-of-pizza"), 1, 0, Duration.ofMinutes(1), Duration.ofDays(1), JobSamples.T0);
        return new JobRecord(job.id(), job.attempt(), user.isEmpty() ? Optional.empty() : Optional.of(facts), user.isEmpty(), 1, phase,
                Optional.of(JobSamples.T0), ending.map(e -> JobSamples.T0), ending);
    }
}
