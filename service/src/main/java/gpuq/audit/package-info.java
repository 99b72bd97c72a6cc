/** Who did what that others will ask about: users, nodes, cancels, who led. Anybody may write to it; nobody changes it. */
@NullMarked
package gpuq.audit;

import org.jspecify.annotations.NullMarked;
