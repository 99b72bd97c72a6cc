package gpuq.api;

import gpuq.db.DatabaseUnavailable;
import gpuq.dispatch.Queue;
import gpuq.job.Job;
import io.helidon.webserver.CloseConnectionException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waits for the end of a job on behalf of a client: a parked virtual thread, for as long as the client is there. */
final class Patience {
    private final Queue queue;
    private final Duration limit;

    Patience(Queue queue, Duration limit) {
        this.queue = queue;
        this.limit = limit;
    }

    /** What a wait has led to. @param over whether all its time has gone by */
    record Waited(Job job, boolean over) {}

    /**
     * The connection must be closed after the answer: what the client sent in the meantime was thrown away.
     *
     * @param job of which the client knows nothing yet: whatever happens here, it is to be told of it
     * @return the job at its end, or as it is when the time is over or the server stops
     * @throws CloseConnectionException if the client went away; the job does not mind
     */
    Waited untilEnd(Job job) {
        CompletableFuture<Job> end = queue.ending(job);
        if (!end.isDone()) {
            Connection.current().whenGone(() -> end.cancel(false));
        }
        try {
            return new Waited(end.get(limit.toMillis(), TimeUnit.MILLISECONDS), false);
        } catch (TimeoutException over) {
            end.cancel(false);
            return new Waited(now(job), true);
        } catch (CancellationException gone) {
            throw new CloseConnectionException("the client did not wait for the answer", gone);
        } catch (InterruptedException stopped) {
            throw new CloseConnectionException("the server did not wait for the answer", stopped);
        } catch (ExecutionException failed) {
            throw new IllegalStateException("waiting for job %s failed".formatted(job.id()), failed.getCause());
        }
    }

    private Job now(Job seen) {
        try {
            return queue.find(seen.id()).orElse(seen);
        } catch (DatabaseUnavailable away) {
            return seen;
        }
    }
}
