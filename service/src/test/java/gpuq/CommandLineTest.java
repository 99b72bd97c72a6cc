package gpuq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.db.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The server's command line, as its own process. */
@Timeout(60)
class CommandLineTest {

    @TempDir
    private Path directory;

    @Test
    void a_user_gets_a_token_once_and_is_listed() throws Exception {
        Path config = config("");

        assertTrue(run(config, "user", "add", "ada").printed().matches("[A-Za-z0-9_-]{43}\\R?"));
        assertEquals("ada", run(config, "user", "list").printed().strip());
        assertEquals(0, run(config, "user", "revoke", "ada").code());
        assertEquals(64, run(config, "user", "revoke", "ada").code());
    }

    @Test
    void commands_beside_a_running_server_are_carried_out_by_it_with_the_same_words() throws Exception {
        int port = freePort();
        Site site = Site.in(directory, 1, port);
        try (ServerProcess server = ServerProcess.start(site, port)) {
            String token = run(site.config(), "user", "add", "ada", "--admin").printed().strip();
            assertEquals("ada (administrator)\nsarang\n", run(site.config(), "user", "list").printed());
            assertEquals(200, server.api().post("/api/nodes/0/drain?reason=repair", "Authorization", "Bearer " + token).status());
            assertEquals(64, run(site.config(), "user", "add", "").code());
            Ended wrong = run(site.config(), "user", "remove");
            assertEquals("64 gpuq-server: there is no command", wrong.code() + " " + wrong.printed().substring(0, 32));
            String audit = run(site.config(), "audit", "--limit", "9").printed();
            assertTrue(audit.lines().map(line -> line.replaceAll(" +", " ").substring(21)).toList().equals(List.of(
                    "127.0.0.1:%d server leads lease 1".formatted(port), "(command line) user add ada as an administrator", "ada node drain 0 repair")), audit);
            server.kill();
            assertEquals("ada (administrator)\nsarang\n", run(site.config(), "user", "list").printed(), "a socket that nobody listens at is no server");
        }
    }

    @Tag("embedded")
    @Test
    void who_comes_to_the_control_socket_and_says_nothing_holds_up_nobody() throws Exception {
        int port = freePort();
        Site site = Site.in(directory, 1, port);
        try (ServerProcess server = ServerProcess.start(site, port); SocketChannel silent = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            silent.connect(UnixDomainSocketAddress.of(directory.resolve("control/socket")));
            assertEquals("sarang\n", run(site.config(), "user", "list").printed());
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("control"))));
            assertEquals(-1, silent.read(ByteBuffer.allocate(1)), "it is hung up on");
        }
    }

    @Test
    void a_schema_is_made_ahead_and_a_backup_is_announced() throws Exception {
        Path config = config("");
        assertTrue(run(config, "migrate").printed().matches("The schema is up to date: version [0-9]+\\.\n"));
        assertTrue(run(config, "restored").printed().startsWith("No server has led"));
    }

    @Test
    void wrong_use_is_told_in_one_line() throws Exception {
        for (List<String> words : List.of(List.of("serve"), List.of("user"), List.of("--check-config", "migrate"), List.of("audit", "--limit", "0"), List.of("migrate", "now"))) {
            Ended ended = run(config(""), words.toArray(String[]::new));
            assertEquals(64, ended.code(), words::toString);
            assertEquals(1, ended.printed().lines().count(), ended::printed);
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void a_taken_port_is_one_clear_sentence() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Ended ended = run(config("server: {port: %d}".formatted(taken.getLocalPort())));

            assertEquals(75, ended.code());
            assertTrue(ended.printed().contains("the port is taken"), ended::printed);
        }
    }

    @Test
    void production_refuses_to_start_with_the_demonstration_user() throws Exception {
        Path config = config("");
        try (RunningServer demonstration = RunningServer.start(directory)) {
            assertTrue(demonstration.users().hasDemonstrationUser());
        }
        Files.writeString(config, "templates: %s%n".formatted(Site.CHECKOUT.resolve("templates")) + "data-directory: " + directory + "\n" + TestDatabase.yaml(directory));

        Ended ended = run(config);

        assertEquals(78, ended.code());
        assertTrue(ended.printed().contains("user revoke sarang"), ended::printed);
    }

    @Test
    void all_faults_of_a_configuration_are_told_at_once() throws Exception {
        Ended ended = run(config("server: {port: 70000}\nfoo: 1"), "--check-config");

        assertEquals(78, ended.code());
        assertTrue(ended.printed().contains("server.port") && ended.printed().contains("foo"), ended::printed);
    }

    private record Ended(int code, String printed) {}

    private Path config(String more) throws IOException {
        return Files.writeString(directory.resolve("server.yaml"),
                "data-directory: %s/data%ntemplates: %s%n%s%n".formatted(directory, Site.CHECKOUT.resolve("templates"), more));
    }

    private static Ended run(Path config, String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
                "-cp", System.getProperty("java.class.path"), "gpuq.Main", "--config", config.toString()));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), printed);
    }
}
