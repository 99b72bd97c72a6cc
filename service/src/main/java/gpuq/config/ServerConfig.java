package gpuq.config;

import gpuq.db.DatabaseSettings;
import gpuq.node.SshAddress;
import gpuq.node.SshAddress.HostKey;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Everything that can be set, checked. Paths are absolute.
 *
 * @param dataDirectory the embedded database, the results and whatever else the server keeps
 * @param templates the folder of {@code launch/*}
 */
public record ServerConfig(
        Mode mode,
        Path dataDirectory,
        Path templates,
        Server server,
        DatabaseSettings database,
        Auth auth,
        Limits limits,
        Link node,
        List<NodeConfig> nodes) {

    /**
     * @param port 0 for any that is free
     * @param waitLimit the longest that a submit waits
     * @param cancelPatience the longest that a cancel waits
     * @param lease how long this server leads without a word to the database that it shares with others
     */
    public record Server(String host, int port, Duration waitLimit, Duration cancelPatience, Duration lease) {}

    /** @param requiredForReads whether reading needs a token, too */
    public record Auth(boolean requiredForReads) {}

    /** @param codeSize bytes */
    public record Limits(int codeSize, Duration defaultTimeLimit) {}

    /**
     * How the server speaks with its nodes.
     *
     * @param heartbeat how often a node says that it is there; three without a word end the connection
     * @param patience how long the answer to a command may take
     * @param checkup how often a node's doctor looks for what would fail jobs
     */
    public record Link(Duration heartbeat, Duration patience, Duration checkup) {}

    static final String MASK = "********";

    /**
     * Reads a file and what the environment says instead.
     *
     * @throws ConfigRefused with everything that is wrong
     */
    public static ServerConfig load(Path file, Map<String, String> environment) {
        return new ConfigReader(file, environment).read();
    }

    /** The same with other nodes. */
    public ServerConfig with(List<NodeConfig> others, Link link) {
        return new ServerConfig(mode, dataDirectory, templates, server, database, auth, limits, link, others);
    }

    /** Where this server is asked, for people: its host's name instead of an address that stands for all. */
    public String address() {
        boolean all = server.host.equals("0.0.0.0") || server.host.equals("::");
        return (all ? hostName() : server.host) + ":" + server.port;
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    /** Every setting as it is in effect, a line each, for the log; secrets are masked. */
    public String effective() {
        StringBuilder text = new StringBuilder();
        line(text, "mode", mode.word());
        line(text, "data-directory", dataDirectory);
        line(text, "templates", templates);
        line(text, "server.host", server.host);
        line(text, "server.port", server.port);
        line(text, "server.wait-limit", server.waitLimit);
        line(text, "server.cancel-patience", server.cancelPatience);
        line(text, "server.lease", server.lease);
        line(text, "database.url", database.place());
        line(text, "database.username", database.username());
        line(text, "database.password", database.password().isEmpty() ? "" : MASK);
        line(text, "database.connections", database.connections());
        line(text, "auth.required-for-reads", auth.requiredForReads);
        line(text, "limits.code-size", limits.codeSize);
        line(text, "limits.default-time-limit", limits.defaultTimeLimit);
        line(text, "node.heartbeat", node.heartbeat);
        line(text, "node.patience", node.patience);
        line(text, "node.checkup", node.checkup);
        for (NodeConfig each : nodes) {
            switch (each) {
                case NodeConfig.Ssh ssh -> line(text, "nodes", ssh(ssh));
                case NodeConfig.Local local ->
                        line(text, "nodes", "{id: %d, local: {command: %s, config: %s}}".formatted(local.id(), local.command(), local.config()));
            }
        }
        return text.toString();
    }

    private static String ssh(NodeConfig.Ssh node) {
        SshAddress to = node.address();
        String hostKey = switch (to.hostKey()) {
            case HostKey.KnownHosts(Path file) -> "known-hosts: " + file;
            case HostKey.Fingerprint(String sha256) -> "fingerprint: " + sha256;
        };
        return "{id: %d, host: %s, port: %d, user: %s, key: %s, %s, command: %s}"
                .formatted(node.id(), to.host(), to.port(), to.user(), to.key(), hostKey, to.command());
    }

    private static void line(StringBuilder text, String key, Object value) {
        text.append(key).append(": ").append(value).append('\n');
    }
}
