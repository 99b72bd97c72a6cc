package gpuq.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.db.Database;
import gpuq.db.TestDatabase;
import gpuq.job.Job;
import gpuq.job.JobSamples;
import gpuq.job.JobStore;
import gpuq.job.State;
import gpuq.node.Authority;
import gpuq.node.Bundle;
import gpuq.node.Deadlines;
import gpuq.node.Node;
import gpuq.node.NodeLines;
import gpuq.node.Scripts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two real nodes, and a database that knows less than they do. */
@Timeout(60)
class ReconciliationTest {
    @TempDir
    private Path folder;

    private final Map<Integer, NodeLines> nodes = new TreeMap<>();
    private Database database;
    private JobStore store;

    @BeforeEach
    void open() throws IOException {
        database = Database.open(TestDatabase.in(folder));
        store = new JobStore(database);
        node(0, "");
        node(1, "");
    }

    @AfterEach
    void close() {
        nodes.values().forEach(NodeLines::close);
        database.close();
    }

    @Test
    void the_latest_attempt_is_the_jobs_however_many_before_it_no_node_knows() {
        Job job = row(new State.Running(0, JobSamples.T0));
        node(0).withdraw(job.id(), 1);
        node(1).withdraw(job.id(), 40);
        node(1).release(job.id(), 40); // what is released is in no list

        assertTrue(reconcile());

        assertIs(40, new State.Waiting(1), job);
    }

    @Test
    void a_job_that_only_nodes_know_is_adopted_with_its_latest_attempt() {
        UUID job = UUID.randomUUID();
        node(0).submit(bundle(job));
        node(1).withdraw(job, 2);
        node(1).release(job, 2);

        assertTrue(reconcile());

        assertEquals("ada", store.present(job).submission().userId());
        assertIs(2, new State.Waiting(1), store.present(job));
    }

    @Test
    void a_job_that_was_not_sent_is_where_its_attempt_is() {
        Job job = row(new State.Placed(0));
        List<Job> onBoth = Stream.of(0, 1).map(on -> row(new State.Placed(on))).toList();
        node(1).withdraw(job.id(), 1);
        Stream.of(0, 1).forEach(id -> onBoth.forEach(known -> node(id).withdraw(known.id(), 1)));

        assertTrue(reconcile());

        assertIs(1, new State.Waiting(1), job);
        assertIs(1, new State.Waiting(0), onBoth.get(0));
        assertIs(1, new State.Waiting(1), onBoth.get(1));
    }

    @Test
    void what_no_node_knows_later_stays_as_it_is() {
        Job placed = row(new State.Placed(0));
        Job sent = row(new State.Sent(0));
        Job waits = row(new State.Waiting(1));
        node(1).withdraw(waits.id(), 1);

        assertTrue(reconcile());

        Stream.of(placed, sent, waits).forEach(job -> assertEquals(job, store.present(job.id())));
    }

    @Test
    void an_attempt_that_nobody_can_have_come_to_is_not_believed_and_hides_no_other() {
        Job job = row(new State.Waiting(0));
        node(0).withdraw(job.id(), 999_999_999);
        node(1).withdraw(job.id(), 3);

        assertTrue(reconcile());

        assertIs(3, new State.Waiting(1), job);
    }

    @Test
    void the_nodes_are_asked_side_by_side() throws IOException {
        String one = folder.resolve("0-was-asked").toString();
        String other = folder.resolve("1-was-asked").toString();
        node(0, "touch %s; until [[ -e %s ]]; do sleep 0.05; done".formatted(one, other));
        node(1, "touch %s; until [[ -e %s ]]; do sleep 0.05; done".formatted(other, one));

        assertTrue(reconcile());
    }

    @Test
    void two_questions_are_enough_for_any_number_of_jobs() throws IOException {
        Path said = folder.resolve("said");
        node(0, "exec < <(tee %s)".formatted(said));
        for (int jobs = 0; jobs < 50; jobs++) {
            row(new State.Waiting(0));
        }

        assertTrue(reconcile());

        assertEquals(2, Files.readAllLines(said).stream().filter(line -> line.contains(" ")).count(), () -> "commands in " + said);
    }

    /** @param first what its {@code gpuq} does before it is one */
    private void node(int id, String first) throws IOException {
        Path home = Files.createDirectories(folder.resolve("node-" + id));
        Path gpuq = Files.writeString(home.resolve("gpuq"), "#!/usr/bin/env bash\n%s\nexec %s \"$@\"\n".formatted(first, Scripts.gpuq()));
        Files.setPosixFilePermissions(gpuq, PosixFilePermissions.fromString("rwx------"));
        Authority authority = new Authority(1, later -> {
            throw new AssertionError("outbid by lease " + later);
        });
        Deadlines deadlines = Deadlines.of(Duration.ofSeconds(3), Duration.ofSeconds(1));
        Optional.ofNullable(nodes.put(id, NodeLines.local("n" + id, gpuq, Scripts.configuration(home, 1), authority, deadlines))).ifPresent(NodeLines::close);
    }

    private Node node(int id) {
        return nodes.get(id).down();
    }

    private boolean reconcile() {
        Map<Integer, Node> asked = new TreeMap<>();
        nodes.forEach((id, lines) -> asked.put(id, lines.back()));
        return new Reconciliation(asked, store, new Adoption(store), () -> false).run();
    }

    private Job row(State state) {
        Job job = JobSamples.job("sarang", JobSamples.T0, state);
        store.insert(job, "pass", Optional.empty());
        return job;
    }

    private static Bundle bundle(UUID job) {
        var files = new LinkedHashMap<String, byte[]>();
        files.put("job", """
                job %s
                attempt 1
                origin server
                user ada
                competition random-acts-of-pizza
                template process
                gpus 1
                priority 0
                expected_time 60
                time_limit 600
                submitted_at 1763400000123456
                """.formatted(job).getBytes(StandardCharsets.UTF_8));
        files.put("launch.sh", ":\n".getBytes(StandardCharsets.UTF_8));
        files.put("solution.py", "pass\n".getBytes(StandardCharsets.UTF_8));
        return new Bundle(job, 1, files);
    }

    private void assertIs(int attempt, State state, Job job) {
        Job now = store.present(job.id());
        assertEquals(attempt + " " + state, now.attempt() + " " + now.state());
    }
}
