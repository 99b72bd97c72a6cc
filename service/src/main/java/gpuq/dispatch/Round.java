package gpuq.dispatch;

import gpuq.db.DatabaseUnavailable;
import gpuq.db.NotLeading;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * Something done again and again, on a virtual thread of its own. It ends when its thread is interrupted, or when it is over: H2 swallows
 * an interrupt that comes while it writes.
 *
 * @param name for the log, such as {@code placing jobs}
 */
record Round(String name, Duration between, Runnable work, BooleanSupplier over) implements Runnable {
    private static final Logger LOG = System.getLogger(Round.class.getName());

    @Override
    public void run() {
        try {
            while (!over.getAsBoolean()) {
                Thread.sleep(between);
                once();
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    private void once() {
        try {
            work.run();
        } catch (DatabaseUnavailable | NotLeading away) {
            LOG.log(Level.WARNING, "{0} is tried again: {1}", name, away.getMessage());
        } catch (RuntimeException | Error failure) {
            LOG.log(Level.ERROR, name + " failed and is tried again", failure);
        }
    }
}
