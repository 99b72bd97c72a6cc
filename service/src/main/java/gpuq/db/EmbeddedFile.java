package gpuq.db;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.h2.mvstore.MVStoreTool;

/**
 * The file of the embedded database, locked for one process, and how H2 must treat it so that no acknowledged commit is lost:
 *
 * <ul>
 *   <li>{@code WRITE_DELAY=0} hands a commit to the system before it is answered, {@code dsync:} puts it on the disk by then;
 *   <li>{@code REUSE_SPACE=FALSE} only ever appends. H2 2.5 otherwise writes into space that is free again and was first written more than
 *       45 seconds ago; a kill at such a time loses the last few commits, in one of eight trials;
 *   <li>{@code MAX_COMPACT_TIME=0} keeps it from moving data about when it closes. Instead, {@link #compact} copies what is live
 *       into a new file at a start, and renames that into place;
 *   <li>{@code retry:} reopens the file when a thread is interrupted in the middle of a write, which otherwise closes it for everybody;
 *   <li>{@code MAX_LENGTH_INPLACE_LOB} leaves code of usual length in its row, which halves what a submit writes; {@code COMPRESS} thirds it.
 * </ul>
 *
 * <p>The server closes the database itself, after the last store has stopped using it.
 */
final class EmbeddedFile implements AutoCloseable {
    private static final Logger LOG = System.getLogger(EmbeddedFile.class.getName());
    private static final String PREFIX = "jdbc:h2:retry:dsync:";
    private static final String OPTIONS = ";MODE=MySQL;DATABASE_TO_LOWER=TRUE;CASE_INSENSITIVE_IDENTIFIERS=TRUE"
            + ";WRITE_DELAY=0;REUSE_SPACE=FALSE;MAX_COMPACT_TIME=0;MAX_LENGTH_INPLACE_LOB=32768;COMPRESS=TRUE"
            + ";DB_CLOSE_ON_EXIT=FALSE;DB_CLOSE_DELAY=-1;TRACE_LEVEL_FILE=0";

    /** A file of up to this size is not worth copying. */
    private static final long SMALL = 64 << 20;

    private final Path file;
    private final FileChannel lock;

    private EmbeddedFile(Path file, FileChannel lock) {
        this.file = file;
        this.lock = lock;
    }

    static String url(Path file) {
        String path = file.toAbsolutePath().normalize().toString();
        if (path.indexOf(';') >= 0) {
            throw new IllegalArgumentException("the database's path '%s' must not hold a semicolon".formatted(path));
        }
        return PREFIX + path + OPTIONS;
    }

    static boolean is(String url) {
        return url.startsWith(PREFIX);
    }

    /**
     * Locks the file and makes it ready for H2.
     *
     * @param url one of {@link #url}
     * @throws DatabaseUnavailable if another process uses it or it cannot be written, in one sentence
     */
    static EmbeddedFile open(String url) {
        SyncedFile.register();
        Path file = Path.of(url.substring(PREFIX.length()).replaceFirst(";.*", "") + ".mv.db");
        try {
            Files.createDirectories(file.getParent());
            EmbeddedFile embedded = new EmbeddedFile(file, FileChannel.open(file.resolveSibling(file.getFileName() + ".lock"),
                    StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
            try {
                embedded.prepare();
                return embedded;
            } catch (Throwable e) {
                embedded.close();
                throw e;
            }
        } catch (IOException e) {
            throw new DatabaseUnavailable("the database's folder %s cannot be written (%s)".formatted(file.getParent(), why(e)), e);
        }
    }

    private void prepare() throws IOException {
        if (!locked()) {
            throw new DatabaseUnavailable("the database %s is in use by another process: stop that server, or give this one a data directory"
                    .formatted(file) + " of its own", null);
        }
        if (Files.exists(file)) {
            if (!Files.isWritable(file)) {
                throw new DatabaseUnavailable("the database %s cannot be written".formatted(file), null);
            }
            MVStoreTool.compactCleanUp(file.toString());
            if (Files.size(file) > Math.max(SMALL, 2 * sizeWhenCompacted())) {
                compactIfThereIsRoom();
            }
        }
    }

    private boolean locked() throws IOException {
        try {
            FileLock held = lock.tryLock();
            return held != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    private void compactIfThereIsRoom() {
        try {
            compact();
        } catch (RuntimeException | IOException e) {
            LOG.log(Level.WARNING, "the database {0} could not be made smaller, and goes on as it is: {1}", file, e.getMessage());
            MVStoreTool.compactCleanUp(file.toString());
        }
    }

    /** Copies what is live into a new file and renames that into place. The lock's file keeps the size that this led to. */
    void compact() throws IOException {
        MVStoreTool.compact("dsync:" + file, true);
        lock.truncate(0).write(ByteBuffer.wrap((Files.size(file) + "\n").getBytes(StandardCharsets.US_ASCII)), 0);
    }

    private long sizeWhenCompacted() throws IOException {
        ByteBuffer text = ByteBuffer.allocate(20);
        lock.read(text, 0);
        String size = new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII).strip();
        return size.matches("[0-9]{1,18}") ? Long.parseLong(size) : 0;
    }

    /** Puts the file's name on the disk, and those of the folders above it. */
    void syncNames() {
        for (Path folder = file.getParent(); folder != null; folder = folder.getParent()) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            } catch (IOException e) {
                return; // a folder above ours that we may not read was there before
            }
        }
    }

    private static String why(IOException e) {
        String message = String.valueOf(e.getMessage());
        int colon = message.lastIndexOf(": ");
        return colon >= 0 ? message.substring(colon + 2) : e.getClass().getSimpleName();
    }

    /** Lets another process have it. */
    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            // the process's end releases it
        }
    }
}
