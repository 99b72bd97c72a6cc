package gpuq.placement;

import java.util.Optional;
import java.util.Set;

/**
 * What a node can hold, by its own word.
 *
 * @param slots 0 while the node cannot tell how many it has
 * @param competitions whose data it has
 * @param template the launch template that it runs graded jobs with; without one it takes none
 * @param version of its scripts
 */
public record Capacity(int slots, Set<String> competitions, Optional<String> template, String version) {}
