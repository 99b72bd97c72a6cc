/** Renders launch scripts: a prologue of quoted facts before a body that holds no interpolation. Only this package knows FreeMarker. */
@NullMarked
package gpuq.launch;

import org.jspecify.annotations.NullMarked;
