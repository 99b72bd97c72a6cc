package gpuq.config;

import gpuq.db.DatabaseSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Every setting but the list of nodes. What is added here needs a line in {@code docs/configuration.md} and one in
 * {@link ServerConfig#effective}.
 */
final class Settings {
    final Setting<Mode> mode = Setting.of("mode", ValueType.mode(), "production",
            "`demonstration` makes the published user `sarang` with the token `sarang`; `production` refuses to start with it");
    final Setting<Path> dataDirectory;
    final Setting<Path> templates;

    final Setting<String> host = Setting.of("server.host", ValueType.host(), "127.0.0.1",
            "address to listen on; `0.0.0.0` for all, best behind a proxy that speaks TLS");
    final Setting<Integer> port = Setting.of("server.port", ValueType.whole(0, 65535), "8001", "port to listen on; 0 for any that is free");
    final Setting<Duration> waitLimit = Setting.of("server.wait-limit", ValueType.duration("PT1S", "PT4H"), "PT4H",
            "the longest that a submit with `wait=true` waits before it answers that the job still runs");
    final Setting<Duration> cancelPatience = Setting.of("server.cancel-patience", ValueType.duration("PT0S", "PT5M"), "PT15S",
            "the longest that a cancel waits for the node to confirm before it answers 202");
    final Setting<Duration> lease = Setting.of("server.lease", ValueType.duration("PT1S", "PT1M"), "PT5S",
            "of servers that share a database, the one that leads and is not heard of for so long is followed by another");

    final Setting<String> databaseUrl = Setting.of("database.url", ValueType.jdbcUrl(), "",
            "such as `jdbc:mysql://db.example.org/gpuq`; without one, the embedded database in `data-directory`");
    final Setting<String> databaseUsername = Setting.of("database.username", ValueType.text(), "gpuq", "user of the database");
    final Setting<String> databasePassword = new Setting<>("database.password", ValueType.text(), "",
            "that user's password; better given by its variable than in the file; never shown", true);
    final Setting<Integer> databaseConnections = Setting.of("database.connections", ValueType.whole(1, 200), "" + DatabaseSettings.CONNECTIONS,
            "the most connections that are open at once");

    final Setting<Boolean> requiredForReads = Setting.of("auth.required-for-reads", ValueType.flag(), "false",
            "`true`: reading needs a token, too, and lists show only one's own jobs");

    final Setting<Integer> codeSize = Setting.of("limits.code-size", ValueType.size(8 << 20), "1 MiB", "the largest solution that is taken");
    final Setting<Duration> defaultTimeLimit = Setting.of("limits.default-time-limit", ValueType.duration("PT1S", "P30D"), "P7D",
            "after which a job is ended whose submit names no `time_limit`");

    final Setting<Duration> heartbeat = Setting.of("node.heartbeat", ValueType.duration("PT1S", "PT1M"), "PT5S",
            "how often a node says that it is there; after three without a word it counts as unreachable");
    final Setting<Duration> patience = Setting.of("node.patience", ValueType.duration("PT1S", "PT10M"), "PT1M",
            "how long a node may take to answer a command; at least twice the slowest round trip. A login has five times as long, what is large a second more for each KiB");
    final Setting<Duration> checkup = Setting.of("node.checkup", ValueType.duration("PT1S", "P1D"), "PT5M",
            "how often `gpuq doctor` looks on a node for what would fail jobs; while it finds something, every 10 s");

    /** @param relativeTo the folder of the configuration file */
    Settings(Path relativeTo) {
        dataDirectory = Setting.of("data-directory", ValueType.path(relativeTo), "data",
                "where the embedded database and the results (`jobs/results`) are kept");
        templates = Setting.of("templates", ValueType.path(relativeTo), "templates", "the folder that holds the launch templates (`launch/*`)");
    }

    /** In the order of the page. */
    List<Setting<?>> all() {
        return List.of(mode, dataDirectory, templates, host, port, waitLimit, cancelPatience, lease,
                databaseUrl, databaseUsername, databasePassword, databaseConnections, requiredForReads, codeSize, defaultTimeLimit, heartbeat, patience, checkup);
    }
}
