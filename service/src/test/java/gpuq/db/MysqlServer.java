package gpuq.db;

import gpuq.Eventually;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A MySQL server of a test's own, which may be frozen and killed: from the unpacked one that the system property {@code gpuq.test.mysql} names. Its
 * own character set is one that has no emoji.
 */
public final class MysqlServer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path folder;
    private final int port = freePort();
    private Process process;

    private MysqlServer(Path folder) {
        this.folder = folder;
        process = begin("--initialize-insecure");
        awaitEnd();
        if (process.exitValue() != 0) {
            throw new AssertionError("MySQL is not initialised: see " + log());
        }
        restart();
    }

    /** Makes one and starts it; it goes away with this process, if not before. */
    public static MysqlServer start() {
        try {
            MysqlServer server = new MysqlServer(Files.createTempDirectory("gpuq-mysql"));
            Runtime.getRuntime().addShutdownHook(new Thread(server::close));
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return port;
    }

    public MysqlAdministrator administrator() {
        return new MysqlAdministrator("jdbc:mysql://127.0.0.1:%d/".formatted(port), "");
    }

    /** {@code kill -9}. */
    public void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    /** Starts it again on the same data and port. */
    public void restart() {
        process = begin("--port=" + port, "--bind-address=127.0.0.1", "--mysqlx=OFF");
        Eventually.holds("MySQL answers", PATIENCE, () -> {
            if (!process.isAlive()) {
                throw new AssertionError("MySQL ended with " + process.exitValue() + ": see " + log());
            }
            return administrator().answers();
        });
    }

    /** It stays connected and answers nothing. */
    public void freeze() {
        signal("STOP");
    }

    public void thaw() {
        signal("CONT");
    }

    private void signal(String name) {
        try {
            if (new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor() != 0) {
                throw new AssertionError("MySQL is not there");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private Process begin(String... options) {
        String home = Optional.ofNullable(System.getProperty("gpuq.test.mysql"))
                .orElseThrow(() -> new AssertionError("this test needs a MySQL server of its own: run it by ./test mysql"));
        List<String> command = new ArrayList<>(List.of(Path.of(home, "mysqld").toString(), "--datadir=" + folder.resolve("data"), "--socket=" + folder.resolve("socket"),
                "--skip-log-bin", "--innodb-redo-log-capacity=8M", "--character-set-server=latin1",
                "--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync")); // what is committed outlives the process, though not the machine
        if (System.getProperty("user.name").equals("root")) {
            command.add("--user=root");
        }
        command.addAll(List.of(options));
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile())).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path log() {
        return folder.resolve("log");
    }

    private void awaitEnd() {
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        kill();
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            all.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
