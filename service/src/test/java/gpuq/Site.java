package gpuq;

import gpuq.db.TestDatabase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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
                %snodes:
                """.formatted(directory, CHECKOUT.resolve("templates"), port, TestDatabase.yaml(directory)));
        for (int id = 0; id < nodes; id++) {
            Path conf = directory.resolve("node-" + id).resolve("gpuq.conf");
            write(conf, """
                    GPUQ_SPOOL=%s
                    GPUQ_SLOTS=1
                    GPUQ_GRACE=2
                    GPUQ_TEMPLATE=process
                    GPUQ_DISK_FREE=0
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

    Path spool(int node) {
        return directory.resolve("node-" + node).resolve("spool");
    }

    /** What an operator types on a node. @return what it printed */
    String gpuq(int node, String... words) {
        return run(node, "", words);
    }

    /** As a server does: one command of the protocol, and its answer. */
    String serve(int node, String command) {
        return run(node, command + "\n", "serve");
    }

    private String run(int node, String stdin, String... words) {
        List<String> command = new ArrayList<>(List.of(CHECKOUT.resolve("node-scripts/bin/gpuq").toString()));
        command.addAll(List.of(words));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("GPUQ_CONF", directory.resolve("node-" + node).resolve("gpuq.conf").toString());
        try {
            Process process = builder.start();
            try (var in = process.outputWriter(StandardCharsets.UTF_8)) {
                in.write(stdin);
            }
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (process.waitFor() != 0) {
                throw new AssertionError("gpuq " + String.join(" ", words) + ": " + printed);
            }
            return printed;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    Path config() {
        return directory.resolve("gpuq.yaml");
    }

    /** The configuration of another server with the same database and the same nodes. */
    Path twin(int port) {
        try {
            Path twin = directory.resolve("twin");
            write(twin.resolve("gpuq.yaml"), Files.readString(config())
                    .replaceFirst("(?m)^data-directory: .*$", "data-directory: \"%s\"".formatted(twin))
                    .replaceFirst("(?m)^  port: .*$", "  port: " + port));
            return twin.resolve("gpuq.yaml");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
