package gpuq.db;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The file of the embedded database.
 *
 * <p>{@code retry:} reopens the file when a thread is interrupted in the middle of a write, which otherwise closes it for everybody.
 * {@code WRITE_DELAY=0} and {@code dsync:} put a commit on the disk before it is answered. Code
 * of usual length lies in its row, which halves what a submit writes. The server closes the database itself, after the last store has stopped using it.
 */
final class EmbeddedFile {
    private static final String PREFIX = "jdbc:h2:retry:dsync:";
    private static final String OPTIONS = ";MODE=MySQL;DATABASE_TO_LOWER=TRUE;CASE_INSENSITIVE_IDENTIFIERS=TRUE"
            + ";WRITE_DELAY=0;MAX_LENGTH_INPLACE_LOB=32768;DB_CLOSE_ON_EXIT=FALSE;DB_CLOSE_DELAY=-1;TRACE_LEVEL_FILE=0";

    private EmbeddedFile() {}

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

    /** The file that H2 makes of a URL of {@link #url}. */
    static Path of(String url) {
        return Path.of(url.substring(PREFIX.length()).replaceFirst(";.*", "") + ".mv.db");
    }

    /** Makes the file's folder and says clearly if nothing can be written there: H2 would open it read-only and find out later. */
    static void prepare(Path file) {
        Path folder = file.getParent();
        try {
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, ".writable", null));
        } catch (IOException e) {
            throw new DatabaseUnavailable("the database's folder %s cannot be written (%s)".formatted(folder, why(e)), e);
        }
        if (Files.exists(file) && !Files.isWritable(file)) {
            throw new DatabaseUnavailable("the database's file %s cannot be written".formatted(file), null);
        }
    }

    private static String why(IOException e) {
        String message = String.valueOf(e.getMessage());
        int colon = message.lastIndexOf(": ");
        return colon >= 0 ? message.substring(colon + 2) : e.getClass().getSimpleName();
    }

    /** Puts the name of a file that was just made on the disk, together with those of the folders above it. */
    static void syncNames(Path file) {
        for (Path folder = file.getParent(); folder != null; folder = folder.getParent()) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            } catch (IOException e) {
                return; // a folder above ours that we may not read was there before
            }
        }
    }
}
