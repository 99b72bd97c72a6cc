package gpuq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.db.TestDatabase;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
        Ended ended = run(config("server: {port: 70000}\nfoo: 1"), "check-config");

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
