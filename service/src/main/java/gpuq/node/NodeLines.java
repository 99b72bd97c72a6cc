package gpuq.node;

import java.nio.file.Path;
import java.time.Duration;

/**
 * A node's conversations: one for the way down, one for the way back, one for what takes its time, so that none waits for another. They share
 * what their transport can share, and end together. Nothing is started or connected before the first call.
 *
 * @param down hands jobs over and ends them
 * @param back follows, and fetches what jobs left
 * @param aside for what may take a minute
 */
public record NodeLines(Node down, Node back, Node aside) implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(5);

    /**
     * A node on this host.
     *
     * @param name for messages
     * @param command the node scripts' {@code bin/gpuq}
     * @param conf its configuration file
     */
    public static NodeLines local(String name, Path command, Path conf, Authority authority, Deadlines deadlines) {
        return over(name, new LocalProcess(command, conf, GRACE), authority, deadlines);
    }

    /** A node behind SSH. @param name for messages */
    public static NodeLines ssh(String name, SshAddress address, Authority authority, Deadlines deadlines) {
        return over(name, new SshTransport(address, deadlines), authority, deadlines.overALink());
    }

    private static NodeLines over(String name, Transport transport, Authority authority, Deadlines deadlines) {
        return new NodeLines(
                new ConnectedNode(name, transport, authority, deadlines),
                new ConnectedNode(name, transport, authority, deadlines),
                new ConnectedNode(name, transport, authority, deadlines.unhurried()));
    }

    @Override
    public void close() {
        down.close();
        back.close();
        aside.close();
    }
}
