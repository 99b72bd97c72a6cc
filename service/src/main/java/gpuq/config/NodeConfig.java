package gpuq.config;

import gpuq.node.SshAddress;
import java.nio.file.Path;

/** A node and how it is reached. */
public sealed interface NodeConfig {

    int id();

    /** As {@code /api/nodes} shows it: a name or an address. */
    String ip();

    /**
     * A node on the server's own host, spoken to over a child process.
     *
     * @param command the node script {@code gpuq}
     * @param config the node's configuration file, given to the script as {@code GPUQ_CONF}
     */
    record Local(int id, Path command, Path config) implements NodeConfig {
        @Override
        public String ip() {
            return "127.0.0.1";
        }
    }

    /** A node on another host. */
    record Ssh(int id, SshAddress address) implements NodeConfig {
        @Override
        public String ip() {
            return address.host();
        }
    }
}
