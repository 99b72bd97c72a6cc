package gpuq.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The checkout's own node scripts and launch templates. */
public final class Scripts {
    private Scripts() {}

    /** The root of the checkout; tests run in the module's folder. */
    public static Path checkout() {
        return Path.of(System.getProperty("gpuq.checkout", "..")).toAbsolutePath().normalize();
    }

    public static Path gpuq() {
        return checkout().resolve("node-scripts/bin/gpuq");
    }

    public static Path templates() {
        return checkout().resolve("templates/launch");
    }

    /** A configuration for a spool of its own in this folder. */
    public static Path configuration(Path folder, int slots) throws IOException {
        return Files.writeString(folder.resolve("gpuq.conf"), """
                GPUQ_SPOOL=%s/spool
                GPUQ_SLOTS=%d
                GPUQ_TEMPLATE=process
                GPUQ_GRACE=1
                """.formatted(folder, slots));
    }
}
