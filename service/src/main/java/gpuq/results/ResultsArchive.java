package gpuq.results;

import gpuq.job.Job;
import java.nio.file.Path;
import java.time.Instant;

/** Keeps results under {@code DIR/jobs}. */
public final class ResultsArchive {

    /** @param directory the server's data directory; {@code jobs/results} and {@code jobs/sealed} are made in it */
    public ResultsArchive(Path directory) {}

    /**
     * Keeps the results of a job that ended at {@code completedAt}. Doing it again is harmless. When this returns they are synced.
     *
     * @param document byte for byte as the node sealed it; empty when there is none (then no public name is made)
     */
    public void keep(Job job, Instant completedAt, byte[] document, byte[] stderr) {
        throw new UnsupportedOperationException();
    }

    /** What was kept for the job's present attempt; {@link Results#NONE} if nothing was. */
    public Results read(Job job) {
        throw new UnsupportedOperationException();
    }
}
