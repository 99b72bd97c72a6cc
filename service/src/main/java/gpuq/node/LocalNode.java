package gpuq.node;

import java.nio.file.Path;
import java.time.Duration;

/** Nodes on the server's own host. */
public final class LocalNode {
    private static final Duration GRACE = Duration.ofSeconds(5);

    private LocalNode() {}

    /**
     * A node on this host; nothing is started before its first call.
     *
     * @param name for messages
     * @param command the node scripts' {@code bin/gpuq}
     * @param conf its configuration file
     */
    public static Node local(String name, Path command, Path conf) {
        return local(name, command, conf, Deadlines.USUAL);
    }

    public static Node local(String name, Path command, Path conf, Deadlines deadlines) {
        return new ConnectedNode(name, new LocalProcess(command, conf, GRACE), deadlines);
    }
}
