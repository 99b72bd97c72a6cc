/** Takes a submit, keeps the promise, and hands the job to its node; also cancels. The way down. */
@NullMarked
package gpuq.dispatch;

import org.jspecify.annotations.NullMarked;
