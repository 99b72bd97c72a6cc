package gpuq.config;

import gpuq.node.SshAddress;
import java.nio.file.Path;

/** A node and how it is reached. */
public sealed interface NodeConfig {

    int id();

    /**
     * A node on the server's own host, spoken to over a child process.
     *
     * @param command the node script {@code gpuq}
     * @param config the node's configuration file, given to the script as {@code GPUQ_CONF}
     */
    record Local(int id, Path command, Path config) implements NodeConfig {}

    /** A node on another host. */
    record Ssh(int id, SshAddress address) implements NodeConfig {}
}
