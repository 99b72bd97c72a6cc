package gpuq.results;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.job.Job;
import gpuq.job.State;
import gpuq.job.Submission;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultsArchiveTest {
    private static final Instant END = Instant.parse("2025-11-06T15:45:17.999999Z");
    private static final String NAME = "sarang_random-acts-of-pizza_20251106_154517";

    @TempDir Path data;
    ResultsArchive archive;

    @BeforeEach
    void open() {
        archive = new ResultsArchive(data, Optional.empty());
    }

    @Test
    void results_are_kept_byte_for_byte_under_their_public_name() throws IOException {
        Job job = job("sarang", "random-acts-of-pizza", 1);
        byte[] document = {'{', (byte) 0xFF, '}', '\r', '\n', 0};
        archive.keep(job, END, document, bytes("a warning\n"));
        assertEquals(List.of(NAME + ".jsonl"), names());
        assertArrayEquals(document, Files.readAllBytes(names(NAME + ".jsonl")));
        assertEquals(new Results("{\uFFFD}\r\n\0", "a warning\n"), archive.read(job));
        assertEquals(Set.of(job.id() + ".1.jsonl", job.id() + ".1.stderr"), sealed());
    }

    @Test
    void keeping_again_changes_nothing_also_with_other_bytes_and_after_a_restart() throws IOException {
        Job first = job("sarang", "random-acts-of-pizza", 1);
        Job second = job("sarang", "random-acts-of-pizza", 1);
        for (int i = 0; i < 3; i++) {
            archive.keep(first, END, bytes("first" + (i == 0 ? "" : i)), bytes(""));
            archive.keep(second, END, bytes("second" + (i == 0 ? "" : i)), bytes(""));
            open();
        }
        assertEquals(List.of(NAME + ".jsonl", NAME + "_2.jsonl"), names());
        assertEquals("first", Files.readString(names(NAME + ".jsonl")));
        assertEquals("second", Files.readString(names(NAME + "_2.jsonl")));
        assertEquals("second", archive.read(second).document());
    }

    @Test
    void without_a_document_only_the_standard_error_is_kept() throws IOException {
        Job job = job("sarang", "random-acts-of-pizza", 1);
        archive.keep(job, END, bytes(""), bytes("no interpreter"));
        assertEquals(List.of(), names());
        assertEquals(new Results("", "no interpreter"), archive.read(job));
    }

    @Test
    void a_job_of_which_nothing_was_kept_has_none_and_attempts_do_not_share() {
        Job job = job("sarang", "c", 1);
        assertEquals(Results.NONE, archive.read(job));
        archive.keep(job, END, bytes("1"), bytes(""));
        assertEquals(Results.NONE, archive.read(job.retried(new State.Unplaced())));
    }

    @Test
    void a_kill_between_any_two_steps_is_made_good_by_keeping_again() throws IOException {
        for (int steps = 0; steps <= 7; steps++) {
            Path folder = Files.createDirectory(data.resolve("killed-after-" + steps));
            ResultsArchive killed = new ResultsArchive(folder, Optional.empty());
            Job other = job("sarang", "random-acts-of-pizza", 1);
            killed.keep(other, END, bytes("other"), bytes(""));
            Job job = job("sarang", "random-acts-of-pizza", 1);
            leave(folder, job, steps);

            ResultsArchive next = new ResultsArchive(folder, Optional.empty());
            next.keep(job, END, bytes("document"), bytes("stderr"));
            next.keep(job, END, bytes("document"), bytes("stderr"));

            assertEquals(new Results("document", "stderr"), next.read(job), "after " + steps);
            assertEquals(List.of(NAME + ".jsonl", NAME + "_2.jsonl"), files(folder.resolve("jobs/results")), "after " + steps);
            assertEquals("document", Files.readString(folder.resolve("jobs/results/" + NAME + "_2.jsonl")));
        }
    }

    /** What the first {@code steps} steps of a keep leave, in their order. */
    private static void leave(Path folder, Job job, int steps) throws IOException {
        Path sealed = folder.resolve("jobs/sealed");
        Path stderr = sealed.resolve(job.id() + ".1.stderr");
        Path document = sealed.resolve(job.id() + ".1.jsonl");
        Path half = sealed.resolve(".1.half");
        if (steps >= 1) Files.writeString(half, "std");
        if (steps >= 2) Files.createLink(stderr, Files.writeString(half, "stderr"));
        if (steps >= 3) Files.delete(half);
        if (steps >= 4) Files.writeString(half, "docu");
        if (steps >= 5) Files.createLink(document, Files.writeString(half, "document"));
        if (steps >= 6) Files.delete(half);
        if (steps >= 7) Files.createLink(folder.resolve("jobs/results/" + NAME + "_2.jsonl"), document);
    }

    @Test
    void many_jobs_that_end_in_one_second_get_a_name_each_even_when_each_is_kept_twice_at_once() throws Exception {
        List<Job> jobs = IntStream.range(0, 50).mapToObj(i -> job("sarang", "random-acts-of-pizza", 1)).toList();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var kept = new ArrayList<Future<?>>();
            for (Job job : jobs) {
                for (int twice = 0; twice < 2; twice++) {
                    kept.add(threads.submit(() -> archive.keep(job, END, bytes(job.id().toString()), bytes(""))));
                }
            }
            for (var future : kept) {
                future.get();
            }
        }
        Set<String> contents = new HashSet<>();
        for (String name : names()) {
            contents.add(Files.readString(names(name)));
        }
        assertEquals(50, names().size());
        assertEquals(50, contents.size());
        assertEquals(100, sealed().size());
    }

    @Test
    void what_is_no_id_cannot_form_a_path() throws IOException {
        archive.keep(job("../../etc", "a/b\0c\n", 1), END, bytes("x"), bytes(""));
        archive.keep(job(".", "", 1), END, bytes("x"), bytes(""));
        archive.keep(job("u".repeat(300), "ü", 1), END, bytes("x"), bytes(""));
        assertEquals(3, names().size());
        assertTrue(names().stream().allMatch(name -> name.matches("[A-Za-z0-9_-][A-Za-z0-9._-]*_20251106_154517\\.jsonl")), names().toString());
    }

    @Test
    void the_end_of_a_long_standard_error_is_kept_and_begins_with_a_whole_character() {
        Job job = job("sarang", "c", 1);
        byte[] stderr = bytes("€".repeat(ResultsArchive.MOST_STDERR / 3 + 1) + "end");
        archive.keep(job, END, bytes("{}"), stderr);
        String read = archive.read(job).stderr();
        assertTrue(read.endsWith("€end"));
        assertTrue(read.length() <= ResultsArchive.MOST_STDERR);
    }

    @Test
    void a_document_that_is_too_large_is_refused_and_one_at_the_limit_is_kept() {
        Job job = job("sarang", "c", 1);
        assertThrows(IllegalArgumentException.class, () -> archive.keep(job, END, new byte[ResultsArchive.MOST_DOCUMENT + 1], bytes("")));
        archive.keep(job, END, new byte[ResultsArchive.MOST_DOCUMENT], bytes(""));
        assertEquals(ResultsArchive.MOST_DOCUMENT, archive.read(job).document().length());
    }

    @Test
    void what_a_killed_server_left_half_written_is_removed_later_but_not_what_is_being_written() throws IOException {
        Path old = Files.writeString(data.resolve("jobs/sealed/.old"), "x");
        Path young = Files.writeString(data.resolve("jobs/sealed/.young"), "x");
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        open();
        assertFalse(Files.exists(old));
        assertTrue(Files.exists(young));
    }

    @Test
    void a_folder_that_cannot_be_made_is_named() throws IOException {
        Path file = Files.createFile(data.resolve("file"));
        var thrown = assertThrows(UncheckedIOException.class, () -> new ResultsArchive(file, Optional.empty()));
        assertEquals("cannot keep results in " + file.resolve("jobs"), thrown.getMessage());
    }

    private static Job job(String user, String competition, int attempt) {
        var asked = new Submission(user, "p", Optional.of(competition), Duration.ofSeconds(1), Duration.ofDays(1), 1, 0, OptionalInt.empty());
        return new Job(UUID.randomUUID(), asked, END.minusSeconds(60), attempt, 5, new State.Running(0, END.minusSeconds(30)), Optional.empty());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private List<String> names() throws IOException {
        return files(data.resolve("jobs/results"));
    }

    private Path names(String name) {
        return data.resolve("jobs/results").resolve(name);
    }

    private Set<String> sealed() throws IOException {
        return Set.copyOf(files(data.resolve("jobs/sealed")));
    }

    private static List<String> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
