package gpuq.node;

import gpuq.Eventually;
import gpuq.node.SshAddress.HostKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/** A real {@code sshd} on a port of its own, for whoever runs the tests, with the checkout's node scripts behind it. */
final class Sshd implements AutoCloseable {
    private static final String USER = System.getProperty("user.name");

    private final Path folder;
    private final int port;
    private Process process;

    /** @param slots of the node @param settings lines of {@code sshd_config} */
    Sshd(Path folder, int slots, String... settings) throws IOException {
        this.folder = folder;
        this.port = freePort();
        Path conf = Scripts.configuration(folder, slots);
        executable("gpuq", "#!/bin/bash\nexport GPUQ_CONF=%s\nexec %s \"$@\"\n".formatted(conf, Scripts.gpuq()));
        keygen("host");
        keygen("key");
        Files.copy(folder.resolve("key.pub"), folder.resolve("authorized"));
        Files.writeString(folder.resolve("known"), "[127.0.0.1]:%d %s".formatted(port, Files.readString(folder.resolve("host.pub"))));
        var lines = new ArrayList<>(List.of("ListenAddress 127.0.0.1", "Port " + port, "HostKey " + folder.resolve("host"),
                "AuthorizedKeysFile " + folder.resolve("authorized"), "StrictModes no", "UsePAM no", "PidFile none", "PasswordAuthentication no"));
        lines.addAll(List.of(settings));
        Files.write(folder.resolve("sshd_config"), lines);
        if (USER.equals("root")) {
            Files.createDirectories(Path.of("/run/sshd")); // where it locks itself in
        }
        start();
    }

    void start() throws IOException {
        process = new ProcessBuilder("/usr/sbin/sshd", "-D", "-E", log().toString(), "-f", folder.resolve("sshd_config").toString())
                .redirectErrorStream(true).redirectOutput(folder.resolve("sshd.out").toFile()).start();
        Eventually.holds("sshd listens", () -> process.isAlive() && listens());
    }

    /** Its clients as well: nobody is told goodbye. */
    void kill() throws InterruptedException {
        List<ProcessHandle> connections = connections();
        process.destroyForcibly().waitFor();
        connections.forEach(ProcessHandle::destroyForcibly);
    }

    /** The connections, without a word. What runs behind them finds its input closed. */
    void cut() {
        connections().forEach(ProcessHandle::destroyForcibly);
    }

    private List<ProcessHandle> connections() {
        return process.descendants().filter(child -> child.info().command().orElse("").endsWith("sshd")).toList();
    }

    void executable(String name, String text) throws IOException {
        Path file = Files.writeString(folder.resolve(name), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    SshAddress address() {
        return address(new HostKey.KnownHosts(folder.resolve("known")));
    }

    SshAddress address(HostKey hostKey) {
        return new SshAddress("127.0.0.1", port, USER, folder.resolve("key"), hostKey, folder.resolve("gpuq").toString());
    }

    /** How often somebody has logged in. */
    long logins() {
        return logged("Accepted publickey");
    }

    long logged(String words) {
        try (var lines = Files.lines(log())) {
            return lines.filter(line -> line.contains(words)).count();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    void keygen(String name) throws IOException {
        Files.deleteIfExists(folder.resolve(name));
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.resolve(name).toString());
    }

    String run(String... words) throws IOException {
        Process command = new ProcessBuilder(words).redirectErrorStream(true).start();
        String printed = new String(command.getInputStream().readAllBytes());
        if (command.onExit().join().exitValue() != 0) {
            throw new AssertionError(String.join(" ", words) + ": " + printed);
        }
        return printed;
    }

    static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private boolean listens() {
        try (var socket = new Socket("127.0.0.1", port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private Path log() {
        return folder.resolve("sshd.log");
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }
}
