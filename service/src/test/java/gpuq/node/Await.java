package gpuq.node;

import static org.junit.jupiter.api.Assertions.fail;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for a condition that another process brings about; fails when it does not come. */
final class Await {
    private Await() {}

    static void file(Path file) {
        until(() -> Files.exists(file), file + " exists");
    }

    static void until(BooleanSupplier condition, String words) {
        long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                fail("did not come: " + words);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }
}
