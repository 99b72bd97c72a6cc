package gpuq;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A whole installation in one folder: a configuration, local nodes of one slot each, the sample competition, the real scripts. */
record Site(Path directory) {
    static final Path CHECKOUT = Path.of("").toAbsolutePath().getParent();

    static Site in(Path directory, int nodes, int port) {
        var lines = new StringBuilder("""
                mode: demonstration
                data-directory: "%s"
                templates: "%s"
                server:
                  host: 127.0.0.1
                  port: %d
                nodes:
                """.formatted(directory, CHECKOUT.resolve("templates"), port));
        for (int id = 0; id < nodes; id++) {
            Path conf = directory.resolve("node-" + id).resolve("gpuq.conf");
            write(conf, """
                    GPUQ_SPOOL=%s
                    GPUQ_SLOTS=1
                    GPUQ_GRACE=2
                    GPUQ_TEMPLATE=process
                    GPUQ_DATA_DIR=%s
                    """.formatted(conf.resolveSibling("spool"), CHECKOUT.resolve("examples/data")));
            lines.append("""
                      - id: %d
                        local: {command: "%s", config: "%s"}
                    """.formatted(id, CHECKOUT.resolve("node-scripts/bin/gpuq"), conf).indent(0));
        }
        write(directory.resolve("gpuq.yaml"), lines.toString());
        return new Site(directory);
    }

    Path config() {
        return directory.resolve("gpuq.yaml");
    }

    private static void write(Path file, String text) {
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
