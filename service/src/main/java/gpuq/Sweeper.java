package gpuq;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Collects garbage before the JVM would, on a virtual thread of its own, so that memory stays as small as what is in use. What survives a moment
 * in the small young generation goes to the old one, and that one is first collected when it has grown to the largest heap, which takes an hour
 * of load: until then nothing goes back. A collection of what is in use at rest takes some 30 ms; one is due when the heap has doubled since the last.
 */
final class Sweeper implements Runnable {
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(10);

    /** In bytes: for less it is not worth it. */
    static final long SPARE = 16 << 20;

    private final LongSupplier used;
    private final Runnable collection;
    private long live;

    /** @param used the bytes of the heap that are taken, by garbage or not */
    Sweeper(LongSupplier used, Runnable collection) {
        this.used = used;
        this.collection = collection;
    }

    static Sweeper ofThisProcess() {
        Runtime runtime = Runtime.getRuntime();
        return new Sweeper(() -> runtime.totalMemory() - runtime.freeMemory(), runtime::gc);
    }

    void look() {
        if (used.getAsLong() > 2 * live + SPARE) {
            collection.run();
            live = used.getAsLong();
        }
    }

    /** Looks until the thread is interrupted. */
    @Override
    public void run() {
        try {
            while (true) {
                look();
                Thread.sleep(BETWEEN_LOOKS);
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }
}
