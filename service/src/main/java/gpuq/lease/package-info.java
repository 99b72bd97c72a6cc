/** Which of the servers on one database leads. */
@NullMarked
package gpuq.lease;

import org.jspecify.annotations.NullMarked;
