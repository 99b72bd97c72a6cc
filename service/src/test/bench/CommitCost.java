import gpuq.db.Database;
import gpuq.db.DatabaseSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/**
 * Prints the median cost in milliseconds of one commit of one small row, in a new embedded database with gpuq's own settings. The commits keep the
 * rhythm of the submits that they are held against, one at a time with a pause: back to back, processor and disk would be warm for the one and not for the other.
 */
final class CommitCost {
    static final int WARM_UP = 300;
    static final int SAMPLES = 60;
    static final Duration PAUSE = Duration.ofMillis(250);

    public static void main(String[] args) throws InterruptedException {
        try (Database database = Database.open(DatabaseSettings.embedded(Path.of(args[0])))) {
            database.update("CREATE TABLE commit_cost (id INT NOT NULL PRIMARY KEY, text VARCHAR(1000) NOT NULL)", Map.of());
            long[] nanos = new long[SAMPLES];
            for (int i = -WARM_UP; i < SAMPLES; i++) {
                if (i >= 0) {
                    Thread.sleep(PAUSE);
                }
                long took = commit(database, i);
                if (i >= 0) {
                    nanos[i] = took;
                }
            }
            Arrays.sort(nanos);
            System.out.printf(Locale.ROOT, "%.3f%n", nanos[SAMPLES / 2] / 1e6);
        }
    }

    private static long commit(Database database, int id) {
        long began = System.nanoTime();
        database.update("INSERT INTO commit_cost (id, text) VALUES (:id, :text)", Map.of("id", id, "text", "x".repeat(500)));
        return System.nanoTime() - began;
    }
}
