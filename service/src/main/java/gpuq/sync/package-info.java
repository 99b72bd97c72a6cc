/** Hears what happens on the nodes and moves the rows: the way back, and the only one. */
@NullMarked
package gpuq.sync;

import org.jspecify.annotations.NullMarked;
