/** Which node a job goes to. Pure decisions over what {@link gpuq.placement.Board} holds in memory: no I/O, no clock. */
@NullMarked
package gpuq.placement;

import org.jspecify.annotations.NullMarked;
