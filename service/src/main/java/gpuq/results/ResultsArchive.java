package gpuq.results;

import gpuq.job.Job;
import gpuq.job.Submission;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Keeps results under {@code DIR/jobs}:
 *
 * <pre>
 *   sealed/JOB.ATTEMPT.stderr, sealed/JOB.ATTEMPT.jsonl    what the node sealed, byte for byte, each written once
 *   results/USER_COMPETITION_YYYYMMDD_HHMMSS.jsonl         its public name: a hard link, with _2, _3, … where the name is another job's
 *   sealed/.*                                              being written
 * </pre>
 *
 * <p>A file is written under a name that begins with a dot, synced, and then linked to its own: a link is made wholly or not at all and
 * never replaces anything. So a kill between any two steps leaves what the next {@link #keep} goes on from, and of two who
 * keep at once the second finds the work done. Any thread may call.
 *
 * <p>Servers that share a database share results through it: what another one has kept is written here when it is first asked for.
 */
public final class ResultsArchive {

    /** The most bytes of a results document. Whoever fetches one must not bring more. */
    public static final int MOST_DOCUMENT = 16 << 20;

    /** The most bytes that are kept of what a job wrote to its standard error: the last ones. */
    public static final int MOST_STDERR = 1 << 20;

    private static final String DOCUMENT = "jsonl";
    private static final String STDERR = "stderr";
    private static final DateTimeFormatter SECOND = DateTimeFormatter.ofPattern("yyyyMMdd_HHmmss").withZone(ZoneOffset.UTC);
    private static final Duration LEFT_BEHIND = Duration.ofHours(1);

    private final Path sealed;
    private final Path names;
    private final Optional<ResultsStore> shared;

    /**
     * @param directory the server's data directory; {@code jobs/results} and {@code jobs/sealed} are made in it
     * @param shared where the results are for other servers too; nothing where there can be no other
     */
    public ResultsArchive(Path directory, Optional<ResultsStore> shared) {
        this.shared = shared;
        this.sealed = directory.resolve("jobs/sealed");
        this.names = directory.resolve("jobs/results");
        try {
            Files.createDirectories(sealed);
            Files.createDirectories(names);
            for (Path made : new Path[] {sealed.getParent(), directory}) {
                sync(made);
            }
            removeLeftBehind();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep results in " + directory.resolve("jobs"), e);
        }
    }

    private ResultsArchive(Path sealed, Path names, Optional<ResultsStore> shared) {
        this.sealed = sealed;
        this.names = names;
        this.shared = shared;
    }

    /** The same, which shares what it keeps through another store, if it shares at all. */
    public ResultsArchive through(ResultsStore other) {
        return new ResultsArchive(sealed, names, shared.map(store -> other));
    }

    /**
     * Keeps the results of a job that ended at {@code completedAt}. Doing it again is harmless. When this returns they are synced.
     *
     * @param document byte for byte as the node sealed it; empty when there is none (then no public name is made)
     * @throws IllegalArgumentException if the document is larger than {@link #MOST_DOCUMENT}
     * @throws UncheckedIOException if it could not be kept; keeping it again goes on from there
     */
    public void keep(Job job, Instant completedAt, byte[] document, byte[] stderr) {
        if (document.length > MOST_DOCUMENT) {
            throw new IllegalArgumentException("job %s: its results have %d bytes, at most %d are kept"
                    .formatted(job.id(), document.length, MOST_DOCUMENT));
        }
        byte[] end = Arrays.copyOfRange(stderr, Math.max(0, stderr.length - MOST_STDERR), stderr.length);
        write(job, completedAt, document, end);
        shared.ifPresent(others -> {
            if (document.length > 0) {
                others.keep(job.id(), job.attempt(), DOCUMENT, document);
            }
            others.keep(job.id(), job.attempt(), STDERR, end); // last, as here
        });
    }

    private void write(Job job, Instant completedAt, byte[] document, byte[] stderr) {
        try {
            if (document.length > 0) {
                seal(file(job, DOCUMENT), document);
                publish(file(job, DOCUMENT), publicName(job.submission(), completedAt));
                sync(names);
            }
            seal(file(job, STDERR), stderr); // last: where it is, all is
            sync(sealed);
        } catch (IOException e) {
            throw new UncheckedIOException("job %s, attempt %d: its results could not be kept".formatted(job.id(), job.attempt()), e);
        }
    }

    /** Bytes of what {@link #read} finds, or somewhat more. @throws UncheckedIOException if that cannot be told */
    public long size(Job job) {
        if (shared.isPresent() && !Files.exists(file(job, STDERR))) {
            return shared.get().size(job.id(), job.attempt());
        }
        try {
            return size(file(job, DOCUMENT)) + size(file(job, STDERR));
        } catch (IOException e) {
            throw new UncheckedIOException("job %s, attempt %d: its results could not be found".formatted(job.id(), job.attempt()), e);
        }
    }

    private static long size(Path file) throws IOException {
        return Files.exists(file) ? Files.size(file) : 0;
    }

    /** What was kept for the present attempt of a job that has ended; {@link Results#NONE} if nothing was. What is no UTF-8 is shown as U+FFFD. */
    public Results read(Job job) {
        if (!Files.exists(file(job, STDERR))) {
            shared.ifPresent(others -> others.find(job.id(), job.attempt(), STDERR).ifPresent(stderr ->
                    write(job, job.completedAt().orElseThrow(), others.find(job.id(), job.attempt(), DOCUMENT).orElse(new byte[0]), stderr)));
        }
        try {
            return new Results(text(file(job, DOCUMENT), MOST_DOCUMENT), text(file(job, STDERR), MOST_STDERR));
        } catch (IOException e) {
            throw new UncheckedIOException("job %s, attempt %d: its results could not be read".formatted(job.id(), job.attempt()), e);
        }
    }

    /** The document that is here of the present attempt of a job, byte for byte: a database that came from a backup does not know it yet. */
    public Optional<byte[]> document(Job job) {
        try {
            return Optional.of(Files.readAllBytes(file(job, DOCUMENT)));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("job %s, attempt %d: its results could not be read".formatted(job.id(), job.attempt()), e);
        }
    }

    private Path file(Job job, String kind) {
        return sealed.resolve("%s.%d.%s".formatted(job.id(), job.attempt(), kind));
    }

    private void seal(Path file, byte[] bytes) throws IOException {
        if (Files.exists(file)) {
            return;
        }
        Path temporary = Files.createTempFile(sealed, ".", "." + file.getFileName());
        try {
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                ByteBuffer rest = ByteBuffer.wrap(bytes);
                while (rest.hasRemaining()) {
                    channel.write(rest);
                }
                channel.force(true);
            }
            linkUnlessThere(file, temporary);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /** Gives {@code file} the first of the names that is free, unless one of those before it is its own already. */
    private void publish(Path file, String name) throws IOException {
        for (int n = 1; ; n++) {
            Path link = names.resolve(n == 1 ? name + ".jsonl" : name + "_" + n + ".jsonl");
            if (linkUnlessThere(link, file) || Files.isSameFile(link, file)) {
                return;
            }
        }
    }

    private static boolean linkUnlessThere(Path link, Path file) throws IOException {
        try {
            Files.createLink(link, file);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        }
    }

    private static String publicName(Submission asked, Instant completedAt) {
        return "%s_%s_%s".formatted(harmless(asked.userId()), harmless(asked.competitionId().orElse("script")), SECOND.format(completedAt));
    }

    /** An id as it is; of anything else only what can stand in a file's name. */
    private static String harmless(String id) {
        String name = id.replaceAll("[^A-Za-z0-9._-]", "-").replaceFirst("^[^A-Za-z0-9]", "-");
        return name.substring(0, Math.min(64, name.length()));
    }

    /** At most the last {@code most} bytes of a file, beginning with a whole character. */
    private static String text(Path file, int most) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long from = Math.max(0, channel.size() - most);
            ByteBuffer bytes = ByteBuffer.allocate((int) (channel.size() - from));
            channel.position(from);
            while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                // on to the end
            }
            bytes.flip();
            while (from > 0 && bytes.hasRemaining() && (bytes.get(bytes.position()) & 0xC0) == 0x80) {
                bytes.get();
            }
            return StandardCharsets.UTF_8.decode(bytes).toString();
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    private static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** What a killed server was writing; not what another one that has the same folder is writing now. */
    private void removeLeftBehind() throws IOException {
        Instant longAgo = Instant.now().minus(LEFT_BEHIND);
        try (Stream<Path> files = Files.list(sealed)) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith(".")).toList()) {
                if (Files.getLastModifiedTime(file).toInstant().isBefore(longAgo)) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }
}
