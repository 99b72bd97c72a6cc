package gpuq.node;

import java.nio.file.Path;
import java.time.Duration;

/**
 * A node's two conversations: one for the way down, one for the way back, so that neither waits for the other. They share what their
 * transport can share, and end together. Nothing is started or connected before the first call.
 *
 * @param down hands jobs over and ends them
 * @param back follows, and fetches what jobs left
 */
public record NodePair(Node down, Node back) implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(5);

    /**
     * A node on this host.
     *
     * @param name for messages
     * @param command the node scripts' {@code bin/gpuq}
     * @param conf its configuration file
     */
    public static NodePair local(String name, Path command, Path conf, Deadlines deadlines) {
        return over(name, new LocalProcess(command, conf, GRACE), deadlines);
    }

    /** A node behind SSH. @param name for messages */
    public static NodePair ssh(String name, SshAddress address, Deadlines deadlines) {
        return over(name, new SshTransport(address, deadlines), deadlines);
    }

    private static NodePair over(String name, Transport transport, Deadlines deadlines) {
        return new NodePair(new ConnectedNode(name, transport, deadlines), new ConnectedNode(name, transport, deadlines));
    }

    @Override
    public void close() {
        down.close();
        back.close();
    }
}
