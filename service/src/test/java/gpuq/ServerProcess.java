package gpuq;

import gpuq.api.ApiClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The server as its own process, so that it can be killed. Its jobs live on, as they would. */
final class ServerProcess implements AutoCloseable {
    /** For {@link #dieAtWrite}: strace counts the writes of each thread, and with one carrier of virtual threads these are the writes of the server. */
    static final String[] ONE_WRITER = {"-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1"};

    private static final int BY_KILL = 128 + 9;

    private final Process process;
    private final ApiClient api;

    private ServerProcess(Process process, ApiClient api) {
        this.process = process;
        this.api = api;
    }

    /** Starts a server on the site's configuration and waits until it answers. @param options for the JVM */
    static ServerProcess start(Site site, int port, String... options) {
        return start(site.config(), port, options);
    }

    /** The same on this configuration; the log is beside it. */
    static ServerProcess start(Path config, int port, String... options) {
        Path log = config.resolveSibling("server.log");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "gpuq.Main", "--config", config.toString()));
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
            ApiClient api = new ApiClient(URI.create("http://127.0.0.1:" + port));
            Eventually.holds("the server answers", Duration.ofSeconds(30), () -> {
                if (!process.isAlive()) {
                    throw new AssertionError("the server ended with " + process.exitValue() + ": see " + log);
                }
                return answers(api);
            });
            return new ServerProcess(process, api);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    ApiClient api() {
        return api;
    }

    private static boolean answers(ApiClient api) {
        try {
            return api.get("/health").status() < 300;
        } catch (UncheckedIOException notYet) {
            return false;
        }
    }

    boolean alive() {
        return process.isAlive();
    }

    long pid() {
        return process.pid();
    }

    /** Whether it ended as by {@code kill -9}. */
    boolean killed() {
        return !process.isAlive() && process.exitValue() == BY_KILL;
    }

    /** Writes of the database are the commits: the server dies at its {@code n}-th from now on. @return strace, which ends with it */
    Process dieAtWrite(int n) {
        try {
            Process strace = new ProcessBuilder("strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=pwrite64",
                    "-e", "inject=pwrite64:signal=SIGKILL:when=" + n, "-p", Long.toString(process.pid()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            Path status = Path.of("/proc", Long.toString(process.pid()), "status");
            Eventually.holds("strace follows the server", Duration.ofSeconds(10), () -> followed(status));
            return strace;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean followed(Path status) {
        try {
            return Files.readString(status).lines().anyMatch(line -> line.matches("TracerPid:\\s+[1-9]\\d*"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@code kill -9}. */
    void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    void awaitEnd() {
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                throw new AssertionError("the server does not end");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        awaitEnd();
    }
}
