/** Who somebody is: users and their tokens. */
@NullMarked
package gpuq.auth;

import org.jspecify.annotations.NullMarked;
