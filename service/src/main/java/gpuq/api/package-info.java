/** The REST API: parses, authenticates, checks, answers. It asks {@link gpuq.dispatch.Jobs} for everything else. */
@NullMarked
package gpuq.api;

import org.jspecify.annotations.NullMarked;
