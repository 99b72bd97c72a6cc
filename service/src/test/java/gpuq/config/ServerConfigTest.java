package gpuq.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.config.ServerConfig.Auth;
import gpuq.config.ServerConfig.Limits;
import gpuq.config.ServerConfig.Link;
import gpuq.config.ServerConfig.Server;
import gpuq.db.DatabaseSettings;
import gpuq.node.SshAddress;
import gpuq.node.SshAddress.HostKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerConfigTest {
    private static final String FULL = """
            mode: demonstration
            data-directory: /srv/gpuq
            templates: elsewhere/templates
            server:
              host: 0.0.0.0
              port: 9000
              wait-limit: PT1H
              cancel-patience: PT1S
              lease: PT12S
            database:
              url: jdbc:mysql://someone:else@db.example.org:3306/gpuq?password=hidden
              username: queue
              password: "se${cret}: #1"
              connections: 7
            auth:
              required-for-reads: true
            limits:
              code-size: 512 KiB
              default-time-limit: PT2H
            node:
              heartbeat: PT2S
              patience: PT11S
              checkup: PT1M
            nodes:
              - id: 4
                local: {command: bin/gpuq, config: /etc/gpuq/4.conf}
              - {id: 0, local: {command: /opt/gpuq, config: 0.conf}}
              - {id: 2, host: h2.example.org}
              - {id: 3, host: "10.0.0.3", port: 2222, user: ada, key: keys/ada, fingerprint: "SHA256:%s", command: /opt/gpuq/bin/gpuq}
              - {id: 5, host: "::1", known-hosts: /etc/ssh/ssh_known_hosts}
            """.formatted("k".repeat(43));

    @TempDir Path folder;

    @Test
    void an_empty_file_gives_the_defaults() throws IOException {
        var expected = new ServerConfig(
                Mode.PRODUCTION, folder.resolve("data"), folder.resolve("templates"),
                new Server("127.0.0.1", 8001, Duration.ofHours(4), Duration.ofSeconds(15), Duration.ofSeconds(5)),
                DatabaseSettings.embedded(folder.resolve("data/database/gpuq")),
                new Auth(false),
                new Limits(1 << 20, Duration.ofDays(7)),
                new Link(Duration.ofSeconds(5), Duration.ofMinutes(1), Duration.ofMinutes(5)),
                List.of());
        assertEquals(expected, load(""));
        assertEquals(expected, load("# nothing\nnodes: []\n"));
    }

    @Test
    void a_file_may_have_any_name() throws IOException {
        assertEquals(full().nodes(), ServerConfig.load(Files.writeString(folder.resolve("gpuq.yaml.new"), FULL), Map.of()).nodes());
    }

    @Test
    void every_setting_is_read_from_the_file() throws IOException {
        assertEquals(full(), load(FULL));
        for (Setting<?> setting : new Settings(folder).all()) {
            String last = setting.key().substring(setting.key().lastIndexOf('.') + 1);
            assertTrue(FULL.contains(last + ": "), "the full file lacks " + setting.key());
        }
    }

    @Test
    void every_setting_is_read_from_the_environment_instead() throws IOException {
        Map<String, String> environment = new HashMap<>(Map.of("GPUQ_CONF", "not the server's", "PATH", "/bin"));
        environment.putAll(Map.ofEntries(
                Map.entry("GPUQ_SERVER_MODE", "demonstration"), Map.entry("GPUQ_SERVER_DATA_DIRECTORY", "/srv/gpuq"),
                Map.entry("GPUQ_SERVER_TEMPLATES", "elsewhere/templates"), Map.entry("GPUQ_SERVER_HOST", "0.0.0.0"),
                Map.entry("GPUQ_SERVER_PORT", "9000"), Map.entry("GPUQ_SERVER_WAIT_LIMIT", "PT1H"), Map.entry("GPUQ_SERVER_LEASE", "PT12S"),
                Map.entry("GPUQ_SERVER_CANCEL_PATIENCE", "PT1S"),
                Map.entry("GPUQ_SERVER_DATABASE_URL", "jdbc:mysql://someone:else@db.example.org:3306/gpuq?password=hidden"),
                Map.entry("GPUQ_SERVER_DATABASE_USERNAME", "queue"), Map.entry("GPUQ_SERVER_DATABASE_PASSWORD", "se${cret}: #1"),
                Map.entry("GPUQ_SERVER_DATABASE_CONNECTIONS", "7"), Map.entry("GPUQ_SERVER_AUTH_REQUIRED_FOR_READS", "true"),
                Map.entry("GPUQ_SERVER_LIMITS_CODE_SIZE", "524288"), Map.entry("GPUQ_SERVER_LIMITS_DEFAULT_TIME_LIMIT", "PT2H"),
                Map.entry("GPUQ_SERVER_NODE_HEARTBEAT", "PT2S"), Map.entry("GPUQ_SERVER_NODE_PATIENCE", "PT11S"),
                Map.entry("GPUQ_SERVER_NODE_CHECKUP", "PT1M")));
        String nodes = FULL.substring(FULL.indexOf("nodes:"));
        assertEquals(full(), load("mode: production\nserver: {port: 1}\n" + nodes, environment));
        new Settings(folder).all().forEach(setting -> assertTrue(environment.containsKey(setting.variable()), setting.variable()));
    }

    @Test
    void all_faults_are_reported_at_once_in_a_sentence_each() throws IOException {
        var refused = refused("""
                mode: test
                server:
                  port: 70000
                  prot: 8001
                  wait-limit: 4h
                  cancel-patience: PT1H
                database:
                  url: jdbc:postgresql://db/gpuq
                  connections: none
                auth: {required-for-reads: yes please}
                limits: {code-size: 9 MiB, default-time-limit: PT0S}
                nods: []
                nodes:
                  - {id: 1, local: {command: a, config: b}}
                  - {id: 1, local: {command: a, confg: b}}
                  - {local: {command: a, config: b}}
                  - {id: 4, host: "a b", port: 0, user: "$(id)", command: "gpuq; id", fingerprint: "MD5:00", known-hosts: k}
                  - {id: 5, host: h, local: {command: a, config: b}}
                  - {id: 6}
                """, Map.of("GPUQ_SERVER_HSOT", "x"));
        assertEquals(List.of(
                "nodes.1.local.confg: there is no such setting of a node; did you mean local.config?",
                "server.prot: there is no such setting; did you mean server.port?",
                "GPUQ_SERVER_HSOT: no setting has this variable; did you mean GPUQ_SERVER_HOST?",
                "mode: 'test' is not production or demonstration",
                "server.port: '70000' is not a whole number from 0 to 65535",
                "server.wait-limit: '4h' is not a duration from PT1S to PT4H",
                "server.cancel-patience: 'PT1H' is not a duration from PT0S to PT5M",
                "database.url: 'jdbc:postgresql://db/gpuq' is not a JDBC URL of MySQL; leave it out for the embedded database",
                "database.connections: 'none' is not a whole number from 1 to 200",
                "auth.required-for-reads: 'yes please' is not true or false",
                "limits.code-size: '9 MiB' is not a size from 1 byte to 8 MiB, such as 512 KiB",
                "limits.default-time-limit: 'PT0S' is not a duration from PT1S to P30D",
                "nodes.1.id: 1 is the id of another node",
                "nodes.1.local.config: is missing",
                "nodes.2.id: is missing",
                "nodes.3.host: 'a b' is not a host name or address",
                "nodes.3.port: '0' is not a whole number from 1 to 65535",
                "nodes.3.user: '$(id)' is not a word of letters, digits and _ . / @ + -",
                "nodes.3.command: 'gpuq; id' is not a word of letters, digits and _ . / @ + -",
                "nodes.3.fingerprint: 'MD5:00' is not SHA256: and the 43 characters that `ssh-keygen -l` prints",
                "nodes.3.fingerprint: goes instead of known-hosts, not with it",
                "nodes.4: is either local or has a host, not both",
                "nodes.5.host: is missing").stream().sorted().toList(),
                refused.faults().stream().sorted().toList());
        assertEquals(1 + refused.faults().size(), refused.getMessage().lines().count());
    }

    @Test
    void a_file_that_is_missing_or_no_yaml_or_of_another_shape_is_one_fault() throws IOException {
        var missing = assertThrows(ConfigRefused.class, () -> ServerConfig.load(folder.resolve("none.yaml"), Map.of()));
        assertEquals(folder.resolve("none.yaml") + ": the configuration file is not there or cannot be read", missing.getMessage());
        for (String text : List.of("server: [unclosed", "- a\n- b\n", "a: b: c\n", "just words\n", "\tserver: 1\n")) {
            assertEquals(1, refused(text, Map.of()).faults().size(), text);
            assertEquals(1, refused(text, Map.of()).getMessage().lines().count(), text);
        }
        assertEquals(List.of("server: there is no such setting"), refused("server: 5\n", Map.of()).faults());
        assertEquals(List.of("server.port.a: there is no such setting; did you mean server.port?"), refused("server: {port: {a: 1}}\n", Map.of()).faults());
    }

    @Test
    void credentials_without_a_database_of_ones_own_are_a_fault_and_are_not_shown() throws IOException {
        var refused = refused("database: {password: hunter2}", Map.of());
        assertEquals(List.of("database.password: the embedded database has none; name a database.url or leave it out"), refused.faults());
    }

    @Test
    void what_is_in_effect_is_shown_line_by_line_without_secrets() throws IOException {
        String shown = load(FULL).effective();
        for (Setting<?> setting : new Settings(folder).all()) {
            assertTrue(shown.lines().anyMatch(line -> line.startsWith(setting.key() + ": ")), setting.key());
        }
        assertTrue(shown.contains("database.url: jdbc:mysql://db.example.org:3306/gpuq\n"), shown);
        assertTrue(shown.contains("database.password: ********\n"), shown);
        assertTrue(shown.contains("nodes: {id: 4, local: {command: " + folder.resolve("bin/gpuq") + ", config: /etc/gpuq/4.conf}}\n"), shown);
        assertTrue(shown.contains("nodes: {id: 3, host: 10.0.0.3, port: 2222, user: ada, key: " + folder.resolve("keys/ada")
                + ", fingerprint: SHA256:" + "k".repeat(43) + ", command: /opt/gpuq/bin/gpuq}\n"), shown);
        for (String secret : List.of("cret", "someone", "else@", "hidden")) {
            assertFalse((shown + load(FULL)).contains(secret), secret);
        }
    }

    @Test
    void the_page_says_what_the_code_says() throws IOException {
        List<String> page = Files.readAllLines(Path.of("../docs/configuration.md"));
        List<String> rows = page.stream().dropWhile(line -> !line.startsWith("|---")).skip(1).takeWhile(line -> line.startsWith("|")).toList();
        List<String> expected = new Settings(folder).all().stream().map(Setting::row).toList();
        assertEquals(String.join("\n", expected), String.join("\n", rows));
    }

    @Test
    void the_example_on_the_page_is_a_configuration() throws IOException {
        String example = String.join("\n", Files.readAllLines(Path.of("../docs/configuration.md")).stream()
                .filter(line -> line.startsWith("    ")).map(line -> line.substring(4)).toList());
        ServerConfig config = load(example);
        assertEquals("jdbc:mysql://db.example.org/gpuq", config.database().url());
        assertEquals(new NodeConfig.Local(0, Path.of("/opt/gpuq/node-scripts/bin/gpuq"), Path.of("/etc/gpuq/node-0.conf")), config.nodes().getFirst());
        assertEquals(new NodeConfig.Ssh(1, new SshAddress("h100-1.example.org", 22, "gpuuser", folder.resolve("id_ed25519"),
                new HostKey.KnownHosts(folder.resolve("known_hosts")), "gpuq")), config.nodes().getLast());
    }

    private ServerConfig full() {
        return new ServerConfig(
                Mode.DEMONSTRATION, Path.of("/srv/gpuq"), folder.resolve("elsewhere/templates"),
                new Server("0.0.0.0", 9000, Duration.ofHours(1), Duration.ofSeconds(1), Duration.ofSeconds(12)),
                new DatabaseSettings("jdbc:mysql://someone:else@db.example.org:3306/gpuq?password=hidden", "queue", "se${cret}: #1", 7),
                new Auth(true),
                new Limits(512 << 10, Duration.ofHours(2)),
                new Link(Duration.ofSeconds(2), Duration.ofSeconds(11), Duration.ofMinutes(1)),
                List.of(new NodeConfig.Local(4, folder.resolve("bin/gpuq"), Path.of("/etc/gpuq/4.conf")),
                        new NodeConfig.Local(0, Path.of("/opt/gpuq"), folder.resolve("0.conf")),
                        new NodeConfig.Ssh(2, new SshAddress("h2.example.org", 22, "gpuuser", folder.resolve("id_ed25519"),
                                new HostKey.KnownHosts(folder.resolve("known_hosts")), "gpuq")),
                        new NodeConfig.Ssh(3, new SshAddress("10.0.0.3", 2222, "ada", folder.resolve("keys/ada"),
                                new HostKey.Fingerprint("SHA256:" + "k".repeat(43)), "/opt/gpuq/bin/gpuq")),
                        new NodeConfig.Ssh(5, new SshAddress("::1", 22, "gpuuser", folder.resolve("id_ed25519"),
                                new HostKey.KnownHosts(Path.of("/etc/ssh/ssh_known_hosts")), "gpuq"))));
    }

    private ServerConfig load(String yaml) throws IOException {
        return load(yaml, Map.of());
    }

    private ServerConfig load(String yaml, Map<String, String> environment) throws IOException {
        return ServerConfig.load(Files.writeString(folder.resolve("gpuq.yaml"), yaml), environment);
    }

    private ConfigRefused refused(String yaml, Map<String, String> environment) {
        return assertThrows(ConfigRefused.class, () -> load(yaml, environment), yaml);
    }
}
