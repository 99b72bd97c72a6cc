package gpuq.config;

import gpuq.config.ServerConfig.Auth;
import gpuq.config.ServerConfig.Limits;
import gpuq.config.ServerConfig.Link;
import gpuq.config.ServerConfig.Server;
import gpuq.db.DatabaseSettings;
import gpuq.node.SshAddress;
import gpuq.node.SshAddress.HostKey;
import io.helidon.common.media.type.MediaTypes;
import io.helidon.config.Config;
import io.helidon.config.ConfigException;
import io.helidon.config.ConfigSources;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads a {@link ServerConfig}: collects every fault and throws them together. Used once. */
final class ConfigReader {
    private static final Pattern NODE = Pattern.compile("nodes\\.([0-9]+)\\.(.+)");
    private static final List<String> LOCAL_KEYS = List.of("local.command", "local.config");
    private static final List<String> SSH_KEYS = List.of("host", "port", "user", "key", "known-hosts", "fingerprint", "command");
    private static final List<String> NODE_KEYS = Stream.of(List.of("id"), LOCAL_KEYS, SSH_KEYS).flatMap(List::stream).toList();
    private static final ValueType<Integer> NODE_ID = ValueType.whole(0, 9999);

    private final Path file;
    private final ValueType<Path> path;
    private final Settings settings;
    private final Map<String, String> environment;
    private final List<String> faults = new ArrayList<>();
    private Map<String, String> values = Map.of();

    ConfigReader(Path file, Map<String, String> environment) {
        Path folder = Optional.ofNullable(file.toAbsolutePath().getParent()).orElseThrow();
        this.file = file;
        this.path = ValueType.path(folder);
        this.settings = new Settings(folder);
        this.environment = environment;
    }

    ServerConfig read() {
        values = values();
        refuseUnknownKeys();
        overrideByEnvironment();
        Path data = get(settings.dataDirectory);
        ServerConfig config = new ServerConfig(
                get(settings.mode), data, get(settings.templates),
                new Server(get(settings.host), get(settings.port), get(settings.waitLimit), get(settings.cancelPatience), get(settings.lease)),
                database(data),
                new Auth(get(settings.requiredForReads)),
                new Limits(get(settings.codeSize), get(settings.defaultTimeLimit)),
                new Link(get(settings.heartbeat), get(settings.patience), get(settings.checkup)),
                nodes());
        if (!faults.isEmpty()) {
            throw new ConfigRefused(file.toString(), faults);
        }
        return config;
    }

    private Map<String, String> values() {
        if (!Files.isReadable(file)) {
            throw new ConfigRefused(file.toString(), List.of("the configuration file is not there or cannot be read"));
        }
        try {
            return new TreeMap<>(Config.builder(ConfigSources.file(file).mediaType(MediaTypes.APPLICATION_X_YAML)) // whatever it is called
                    .disableEnvironmentVariablesSource().disableSystemPropertiesSource().disableKeyResolving().disableValueResolving()
                    .build().asMap().orElse(Map.of()));
        } catch (ConfigException e) {
            throw new ConfigRefused(file.toString(), List.of("the file is no valid YAML: " + rootMessage(e)));
        }
    }

    private static String rootMessage(Throwable e) {
        Throwable root = Stream.iterate(e, t -> t != null, Throwable::getCause).reduce((a, b) -> b).orElseThrow();
        return String.valueOf(root.getMessage()).strip().replaceAll("\\s*\\R\\s*", " ");
    }

    private void refuseUnknownKeys() {
        Set<String> known = new TreeSet<>();
        settings.all().forEach(setting -> known.add(setting.key()));
        for (String key : values.keySet()) {
            Matcher node = NODE.matcher(key);
            if (node.matches() && !NODE_KEYS.contains(node.group(2))) {
                faults.add("%s: there is no such setting of a node%s".formatted(key, didYouMean(node.group(2), NODE_KEYS)));
            } else if (!node.matches() && !known.contains(key)) {
                faults.add("%s: there is no such setting%s".formatted(key, didYouMean(key, known)));
            }
        }
    }

    private void overrideByEnvironment() {
        Map<String, String> keys = new TreeMap<>();
        settings.all().forEach(setting -> keys.put(setting.variable(), setting.key()));
        new TreeMap<>(environment).forEach((variable, value) -> {
            if (keys.containsKey(variable)) {
                values.put(keys.get(variable), value);
            } else if (variable.startsWith("GPUQ_SERVER_")) {
                faults.add("%s: no setting has this variable%s".formatted(variable, didYouMean(variable, keys.keySet())));
            }
        });
    }

    private DatabaseSettings database(Path data) {
        String url = get(settings.databaseUrl);
        int connections = get(settings.databaseConnections);
        if (!url.isEmpty()) {
            return new DatabaseSettings(url, get(settings.databaseUsername), get(settings.databasePassword), connections);
        }
        for (Setting<String> setting : List.of(settings.databaseUsername, settings.databasePassword)) {
            if (values.containsKey(setting.key())) {
                faults.add(setting.key() + ": the embedded database has none; name a database.url or leave it out");
            }
        }
        try {
            DatabaseSettings embedded = DatabaseSettings.embedded(data.resolve("database/gpuq"));
            return new DatabaseSettings(embedded.url(), embedded.username(), embedded.password(), connections);
        } catch (IllegalArgumentException e) {
            faults.add("data-directory: " + e.getMessage());
            return new DatabaseSettings("", "", "", 1);
        }
    }

    private List<NodeConfig> nodes() {
        Map<Integer, Map<String, String>> given = new TreeMap<>();
        values.forEach((key, value) -> {
            Matcher matcher = NODE.matcher(key);
            if (matcher.matches()) {
                given.computeIfAbsent(Integer.valueOf(matcher.group(1)), i -> new TreeMap<>()).put(matcher.group(2), value);
            }
        });
        List<NodeConfig> nodes = new ArrayList<>();
        Set<Integer> ids = new HashSet<>();
        given.forEach((index, node) -> {
            String at = "nodes." + index + ".";
            int id = required(at, "id", node, NODE_ID, -1 - index);
            if (!ids.add(id)) {
                faults.add("%sid: %d is the id of another node".formatted(at, id));
            }
            boolean isLocal = LOCAL_KEYS.stream().anyMatch(node::containsKey);
            if (isLocal && SSH_KEYS.stream().anyMatch(node::containsKey)) {
                faults.add(at.substring(0, at.length() - 1) + ": is either local or has a host, not both");
            }
            nodes.add(isLocal
                    ? new NodeConfig.Local(id, required(at, "local.command", node, path, file), required(at, "local.config", node, path, file))
                    : new NodeConfig.Ssh(id, address(at, node)));
        });
        return List.copyOf(nodes);
    }

    private SshAddress address(String at, Map<String, String> node) {
        if (node.containsKey("fingerprint") && node.containsKey("known-hosts")) {
            faults.add(at + "fingerprint: goes instead of known-hosts, not with it");
        }
        HostKey hostKey = node.containsKey("fingerprint")
                ? new HostKey.Fingerprint(required(at, "fingerprint", node, ValueType.fingerprint(), ""))
                : new HostKey.KnownHosts(optional(at, "known-hosts", node, path, "known_hosts"));
        return new SshAddress(
                required(at, "host", node, ValueType.host(), ""),
                optional(at, "port", node, ValueType.whole(1, 65535), "22"),
                optional(at, "user", node, ValueType.word(), "gpuuser"),
                optional(at, "key", node, path, "id_ed25519"),
                hostKey,
                optional(at, "command", node, ValueType.word(), "gpuq"));
    }

    private <T> T optional(String at, String key, Map<String, String> node, ValueType<T> type, String standard) {
        T otherwise = type.parse().apply(standard);
        return node.containsKey(key) ? parse(at + key, node.get(key), type, false).orElse(otherwise) : otherwise;
    }

    private <T> T required(String at, String key, Map<String, String> node, ValueType<T> type, T otherwise) {
        String value = node.get(key);
        if (value == null) {
            faults.add("%s%s: is missing".formatted(at, key));
            return otherwise;
        }
        return parse(at + key, value, type, false).orElse(otherwise);
    }

    /** The value, or the standard one if there is a fault. */
    private <T> T get(Setting<T> setting) {
        T standard = setting.type().parse().apply(setting.standard());
        String value = values.get(setting.key());
        return value == null ? standard : parse(setting.key(), value, setting.type(), setting.secret()).orElse(standard);
    }

    private <T> Optional<T> parse(String key, String value, ValueType<T> type, boolean secret) {
        try {
            return Optional.of(type.parse().apply(value));
        } catch (IllegalArgumentException e) {
            faults.add("%s: '%s' is not %s".formatted(key, secret ? ServerConfig.MASK : value, e.getMessage()));
            return Optional.empty();
        }
    }

    private static String didYouMean(String word, Iterable<String> known) {
        List<String> candidates = new ArrayList<>();
        known.forEach(candidates::add);
        return candidates.stream().min(Comparator.comparingInt(candidate -> Distance.between(word, candidate)))
                .filter(nearest -> Distance.between(word, nearest) <= Math.max(2, word.length() / 3))
                .map(nearest -> "; did you mean " + nearest + "?").orElse("");
    }
}
