package gpuq.api;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Ends reads and writes of sockets that take too long. An interrupt closes the socket under a virtual thread that is blocked on
 * it, which is the only way to end such a read in Helidon 4.1. For the same reason a deadline belongs round socket work and
 * nothing else: an interrupt in the middle of a database call would close the database's file.
 */
final class Deadlines implements AutoCloseable {
    private final ScheduledThreadPoolExecutor timer =
            new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("socket-deadlines").factory());

    Deadlines() {
        timer.setRemoveOnCancelPolicy(true);
    }

    /** Starts a deadline for the calling thread; closing it ends it. */
    Deadline start(Duration limit) {
        return new Deadline(limit);
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }

    /** One piece of socket work with an end. After {@link #close} no interrupt comes any more, and none is left behind. */
    final class Deadline implements AutoCloseable {
        private final Thread thread = Thread.currentThread();
        private final ScheduledFuture<?> alarm;
        private boolean over;
        private boolean struck;

        private Deadline(Duration limit) {
            alarm = timer.schedule(this::strike, limit.toMillis(), TimeUnit.MILLISECONDS);
        }

        private synchronized void strike() {
            if (!over) {
                struck = true;
                thread.interrupt();
            }
        }

        /** Whether the time was up before the work was done. */
        synchronized boolean struck() {
            return struck;
        }

        @Override
        public void close() {
            alarm.cancel(false);
            synchronized (this) {
                over = true;
                if (struck && thread == Thread.currentThread()) {
                    Thread.interrupted();
                }
            }
        }
    }
}
