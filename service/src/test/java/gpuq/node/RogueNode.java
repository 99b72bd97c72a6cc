package gpuq.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;

/** A node whose {@code gpuq} is a few lines of bash: a real process, with real pipes, that does what no good node would. */
final class RogueNode {
    static final Duration GRACE = Duration.ofMillis(500);

    private static final String PRELUDE = """
            #!/usr/bin/env bash
            greet() { echo "GPUQ 1 ${1:-serve} spool=5p boot=b7 version=0.1.0 epoch=0"; }
            hear() { read -r tag epoch verb words || exit 0; }
            say() { printf '%s %s %s\\n%s' "$tag" "$1" "${#2}" "$2"; }
            info=$'protocol 1\\nspool 5p\\nboot b7\\nversion 0.1.0\\nslots 1\\nrunning 0\\nwaiting 0\\n'
            """;

    private RogueNode() {}

    /** @param script what its {@code gpuq} does */
    static LocalProcess transport(Path folder, String script) throws IOException {
        Path gpuq = folder.resolve("gpuq");
        Files.writeString(gpuq, PRELUDE + script);
        Files.setPosixFilePermissions(gpuq, PosixFilePermissions.fromString("rwx------"));
        return new LocalProcess(gpuq, folder.resolve("gpuq.conf"), GRACE);
    }

    /** Of a server that nobody has outbid. */
    static final Authority AUTHORITY = new Authority(0, later -> {
        throw new AssertionError("a node obeys lease " + later);
    });

    static Deadlines deadlines(Duration answer) {
        return new Deadlines(Duration.ofSeconds(20), answer, Duration.ofSeconds(1));
    }
}
