/** Keeps what a node sealed, byte for byte, once per job, and gives it its public name. */
@NullMarked
package gpuq.results;

import org.jspecify.annotations.NullMarked;
