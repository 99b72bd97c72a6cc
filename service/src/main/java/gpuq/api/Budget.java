package gpuq.api;

import io.helidon.webserver.CloseConnectionException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** How much memory requests of one sort may take together. Who would exceed it waits a moment, and is then told to come again. Any thread may call. */
final class Budget {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private final Semaphore free;
    private final int bytes;
    private final String refusal;

    /** @param refusal the sentence for those who come again */
    Budget(int bytes, String refusal) {
        this.free = new Semaphore(bytes);
        this.bytes = bytes;
        this.refusal = refusal;
    }

    /** @throws Problem 503 when there is no room for so many bytes */
    void take(int share) {
        try {
            if (!free.tryAcquire(share, PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                throw Problem.unavailable(refusal, PATIENCE);
            }
        } catch (InterruptedException tooSlow) {
            throw new CloseConnectionException("it took too long", tooSlow);
        }
    }

    void give(int share) {
        free.release(share);
    }

    /** Does what takes so many bytes while it is done; what takes more than there is takes all. @throws Problem 503 when there is no room for it */
    void spend(long share, Runnable work) {
        int taken = (int) Math.min(share, bytes);
        take(taken);
        try {
            work.run();
        } finally {
            give(taken);
        }
    }
}
