/** Every setting: typed, documented, checked all at once, printed at start with secrets masked. */
@NullMarked
package gpuq.config;

import org.jspecify.annotations.NullMarked;
