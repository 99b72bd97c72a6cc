/**
 * What a job is, the states it goes through, and the table that keeps it: the promise behind every accepted submit.
 *
 * <p>Everybody may read a {@link gpuq.job.Job}. Only {@code dispatch} and {@code sync} move one, always through
 * {@link gpuq.job.JobStore#move}, which is a compare-and-set.
 */
@NullMarked
package gpuq.job;

import org.jspecify.annotations.NullMarked;
