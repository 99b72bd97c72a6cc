package gpuq.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.db.Database;
import gpuq.db.TestDatabase;
import gpuq.db.DuplicateKey;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobStoreTest {
    private static final Comparator<Job> NEWEST_FIRST =
            Comparator.comparing(Job::createdAt).thenComparing(job -> job.id().toString()).reversed();

    @TempDir Path folder;
    Database database;
    JobStore store;
    AttemptStore attempts;

    @BeforeEach
    void open() {
        database = Database.open(TestDatabase.in(folder));
        store = new JobStore(database);
        attempts = new AttemptStore(database);
    }

    @AfterEach
    void close() {
        database.close();
    }

    @Test
    void a_job_in_any_state_is_read_as_it_was_written() {
        for (State state : JobSamples.everyState()) {
            Job job = JobSamples.job("sarang", JobSamples.T0, state);
            insert(job);
            assertEquals(Optional.of(job), store.find(job.id()));
        }
        Job wished = JobSamples.job().cancelRequested(JobSamples.T0.plusNanos(1000));
        insert(wished);
        assertEquals(Optional.of(wished), store.find(wished.id()));
        assertEquals(Optional.empty(), store.find(UUID.randomUUID()));
    }

    @Test
    void every_legal_move_is_read_as_it_was_written() {
        for (State from : JobSamples.everyState()) {
            for (State to : JobSamples.everyState()) {
                Job job = JobSamples.job("sarang", JobSamples.T0, from);
                for (Job next : List.of(job.in(to), job.retried(to))) {
                    if (new Move(job, next).fault().isEmpty()) {
                        Job fresh = withNewId(job);
                        Job moved = new Job(fresh.id(), next.submission(), next.createdAt(), next.attempt(), next.version(), to, Optional.empty());
                        insert(fresh);
                        assertTrue(moved(fresh, moved));
                        assertEquals(Optional.of(moved), store.find(fresh.id()));
                    }
                }
            }
        }
    }

    /** As dispatch and sync do it: within an attempt, or into the next one. */
    private boolean moved(Job from, Job to) {
        return to.attempt() == from.attempt() ? store.move(from, to) : store.giveUp(from, to, JobSamples.over(from));
    }

    @Test
    void an_attempt_that_is_over_is_kept_with_the_move_that_begins_the_next_or_not_at_all() {
        Job job = JobSamples.job();
        insert(job);
        Job sent = job.in(new State.Sent(0));
        assertTrue(store.move(job, sent));
        assertThrows(IllegalStateException.class, () -> store.move(sent, sent.retried(new State.Unplaced())));
        assertFalse(store.giveUp(job, job.retried(new State.Unplaced()), JobSamples.over(job)));
        assertEquals(List.of(), attempts.of(job.id()));
        assertTrue(store.giveUp(sent, sent.retried(new State.Unplaced()), JobSamples.over(sent)));
        assertEquals(List.of(JobSamples.over(sent)), attempts.of(job.id()));
    }

    @Test
    void an_attempt_that_its_node_may_still_run_is_known_until_it_is_settled() {
        Job job = JobSamples.job().in(new State.Sent(7));
        insert(job);
        Attempt lost = Attempt.failed(job, Optional.empty(), JobSamples.T0, new Outcome.Failed(Reason.NODE_LOST, "Gone.", OptionalInt.empty()), false);
        assertTrue(store.giveUp(job, job.retried(new State.Unplaced()), lost));
        var open = new AttemptStore.Unsettled(job.id(), 1);
        assertEquals(List.of(open), attempts.unsettledOn(7));
        attempts.settle(open);
        assertEquals(List.of(), attempts.unsettledOn(7));
    }

    @Test
    void an_operators_job_is_adopted_once_with_or_without_a_competition() {
        var asked = new Submission(Submission.OPERATOR, "", Optional.empty(), Duration.ofSeconds(1), Duration.ofDays(1), 1, 0, OptionalInt.empty());
        Job script = new Job(UUID.randomUUID(), asked, JobSamples.T0, 1, 1, new State.Waiting(0), Optional.empty());
        assertTrue(store.adopt(script, Optional.empty()));
        assertFalse(store.adopt(script, Optional.empty()));
        assertEquals(Optional.of(script), store.find(script.id()));
    }

    @Test
    void an_illegal_move_is_thrown_back_and_changes_nothing() {
        Job job = JobSamples.job();
        insert(job);
        assertThrows(IllegalStateException.class, () -> store.move(job, job.in(new State.Running(0, JobSamples.T0))));
        assertEquals(Optional.of(job), store.find(job.id()));
    }

    @Test
    void of_many_who_move_a_job_at_once_exactly_one_does() throws Exception {
        Job job = JobSamples.job();
        insert(job);
        Job now = job;
        for (int round = 0; round < 20; round++) {
            Job from = now;
            List<Job> wishes = List.of(
                    from.in(new State.Placed(round % 2 + 5)), from.retried(new State.Placed(9)), from.cancelRequested(JobSamples.T0.plusSeconds(round)));
            AtomicInteger moved = new AtomicInteger();
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (Job to : wishes) {
                    if (new Move(from, to).fault().isEmpty()) {
                        threads.submit(() -> moved(from, to) ? moved.incrementAndGet() : 0);
                    }
                }
            }
            assertEquals(1, moved.get());
            now = store.find(job.id()).orElseThrow();
            assertEquals(from.version() + 1, now.version());
        }
    }

    @Test
    void a_move_from_an_older_version_attempt_or_unknown_job_does_nothing() {
        Job job = JobSamples.job();
        insert(job);
        Job sent = job.in(new State.Sent(0));
        assertTrue(store.move(job, sent));
        assertFalse(store.move(job, job.in(new State.Unplaced())));
        Job again = sent.retried(new State.Placed(1));
        assertTrue(moved(sent, again));
        assertFalse(store.move(sent, sent.in(new State.Waiting(0))));
        Job unknown = withNewId(again);
        assertFalse(store.move(unknown, unknown.in(new State.Sent(1))));
        assertEquals(Optional.of(again), store.find(job.id()));
    }

    @Test
    void code_of_any_text_up_to_its_limit_comes_back_unchanged() {
        String hostile = "print('\u0000 \\ \" ; :name ? 🦊 \r\n\t Ω') -- ${x} `'''\n";
        for (String code : List.of("x", hostile, "é🦊\n".repeat(150_000))) {
            Job job = JobSamples.job();
            store.insert(job, code, Optional.empty());
            assertEquals(code, store.code(job.id()).orElseThrow());
        }
        assertEquals(Optional.empty(), store.code(UUID.randomUUID()));
    }

    @Test
    void a_key_belongs_to_its_user_and_finds_the_job_also_after_a_restart() {
        Job job = JobSamples.job();
        var key = new Submission.Key("Key 1", "ab".repeat(32));
        store.insert(job, "code", Optional.of(key));
        close();
        open();
        assertEquals(Optional.of(new JobStore.Keyed(job, key.bodySha256())), store.findByKey("sarang", "Key 1"));
        assertEquals(Optional.empty(), store.findByKey("other", "Key 1"));
        assertEquals(Optional.empty(), store.findByKey("sarang", "key 1"));
        store.insert(JobSamples.job("other", JobSamples.T0), "code", Optional.of(key));
    }

    @Test
    void a_key_that_is_used_again_is_taken_and_leaves_neither_job_nor_code() {
        var key = Optional.of(new Submission.Key("k", "ab".repeat(32)));
        store.insert(JobSamples.job(), "code", key);
        Job second = JobSamples.job();
        assertThrows(JobStore.KeyTaken.class, () -> store.insert(second, "code", key));
        assertEquals(Optional.empty(), store.find(second.id()));
        assertEquals(Optional.empty(), store.code(second.id()));
    }

    @Test
    void of_many_submits_at_once_under_one_key_exactly_one_is_kept() {
        var key = Optional.of(new Submission.Key("k", "ab".repeat(32)));
        AtomicInteger kept = new AtomicInteger();
        AtomicInteger taken = new AtomicInteger();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 40; i++) {
                threads.submit(() -> {
                    try {
                        store.insert(JobSamples.job(), "code", key);
                        kept.incrementAndGet();
                    } catch (JobStore.KeyTaken e) {
                        taken.incrementAndGet();
                    }
                });
            }
        }
        assertEquals(List.of(1, 39), List.of(kept.get(), taken.get()));
        assertEquals(1, store.unfinished().size());
    }

    @Test
    void an_id_that_is_used_again_is_not_mistaken_for_a_key() {
        Job job = JobSamples.job();
        insert(job);
        assertThrows(DuplicateKey.class, () -> insert(job));
        assertThrows(DuplicateKey.class, () -> store.insert(job, "code", Optional.of(new Submission.Key("new", "ab".repeat(32)))));
    }

    @Test
    void pages_follow_each_other_newest_first_without_gaps_or_repeats() {
        List<Job> all = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            State state = JobSamples.everyState().get(i % JobSamples.everyState().size());
            Job job = JobSamples.job(i % 3 == 0 ? "ann" : "bob", JobSamples.T0.plus(Duration.ofMillis(i / 7)), state);
            insert(job);
            all.add(job);
        }
        all.sort(NEWEST_FIRST);
        for (Optional<String> user : List.of(Optional.<String>empty(), Optional.of("ann"), Optional.of("nobody"))) {
            for (Optional<Status> status : List.of(Optional.<Status>empty(), Optional.of(Status.PENDING), Optional.of(Status.FAILED))) {
                List<Job> expected = all.stream()
                        .filter(job -> user.isEmpty() || job.submission().userId().equals(user.get()))
                        .filter(job -> status.isEmpty() || job.status() == status.get()).toList();
                assertEquals(expected, pages(user, status, 4));
                assertEquals(expected, pages(user, status, 1000));
            }
        }
    }

    @Test
    void unfinished_jobs_come_oldest_first_and_ended_ones_do_not_come() {
        List<Job> all = new ArrayList<>();
        for (State state : JobSamples.everyState()) {
            Job job = JobSamples.job("sarang", JobSamples.T0.minusMillis(all.size()), state);
            insert(job);
            all.add(job);
        }
        assertEquals(all.reversed().stream().filter(job -> !job.ended()).toList(), store.unfinished());
    }

    @Test
    void a_sentence_that_is_too_long_is_clipped_and_keeps_its_job() {
        var failed = new Outcome.Failed(Reason.LAUNCH_FAILED, "é🦊".repeat(2000), OptionalInt.empty());
        Job job = JobSamples.job("sarang", JobSamples.T0, JobSamples.ended(failed));
        insert(job);
        State.Ended read = (State.Ended) store.find(job.id()).orElseThrow().state();
        assertTrue(((Outcome.Failed) read.outcome()).detail().endsWith("…"));
    }

    private void insert(Job job) {
        store.insert(job, "print(1)", Optional.empty());
    }

    private List<Job> pages(Optional<String> user, Optional<Status> status, int limit) {
        List<Job> all = new ArrayList<>();
        Optional<JobFilter.Place> before = Optional.empty();
        while (true) {
            List<Job> page = store.list(new JobFilter(user, status, limit, before));
            all.addAll(page);
            if (page.size() < limit) {
                return all;
            }
            before = Optional.of(new JobFilter.Place(page.getLast().createdAt(), page.getLast().id()));
        }
    }

    private static Job withNewId(Job job) {
        return new Job(UUID.randomUUID(), job.submission(), job.createdAt(), job.attempt(), job.version(), job.state(), job.cancelRequested());
    }
}
