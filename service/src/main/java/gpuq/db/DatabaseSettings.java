package gpuq.db;

import java.nio.file.Path;

/**
 * Which database, and how many connections to it.
 *
 * @param url a JDBC URL of H2 or MySQL
 * @param connections the most that are open at once, at least 1
 */
public record DatabaseSettings(String url, String username, String password, int connections) {

    /** As many commits as are usefully under way at once: both databases write them together. */
    public static final int CONNECTIONS = 16;

    /** The embedded database in {@code file}, to whose name H2 adds {@code .mv.db}. */
    public static DatabaseSettings embedded(Path file) {
        return new DatabaseSettings(EmbeddedFile.url(file), "gpuq", "", CONNECTIONS);
    }

    /** Whether it is the embedded database, which one process has at a time. */
    public boolean isEmbedded() {
        return EmbeddedFile.is(url);
    }

    /** The URL without options and credentials: what may be shown. */
    public String place() {
        return url.replaceFirst("[?;].*", "").replaceFirst("//[^/@]*@", "//");
    }

    @Override
    public String toString() {
        return "DatabaseSettings[%s, username=%s, connections=%d]".formatted(place(), username, connections);
    }
}
