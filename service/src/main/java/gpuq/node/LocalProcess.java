package gpuq.node;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.exec.CommandLine;
import org.apache.commons.exec.DefaultExecutor;

/**
 * A node on the server's own host: {@code gpuq} as a child process, by commons-exec.
 *
 * <p>A child gets a session of its own ({@code setsid}), so that a Ctrl-C on the server's terminal reaches the server alone and
 * the answers under way still arrive; the child ends with its input, which the end of the server closes in any case. It is given the little
 * that a login over SSH would give it, not the server's environment: a job on this node must not find the server's secrets there.
 */
final class LocalProcess implements Transport {
    private static final List<String> OF_A_LOGIN = List.of("PATH", "HOME", "USER", "LOGNAME", "SHELL", "XDG_RUNTIME_DIR");

    private final Path command;
    private final Path conf;
    private final Duration grace;

    /**
     * @param command the node scripts' {@code bin/gpuq}
     * @param conf the node's configuration, as {@code GPUQ_CONF}
     * @param grace how long a child may take to end after its input has, before it is killed
     */
    LocalProcess(Path command, Path conf, Duration grace) {
        this.command = command.toAbsolutePath();
        this.conf = conf.toAbsolutePath();
        this.grace = grace;
    }

    @Override
    public Channel open(List<String> words) throws IOException {
        var line = new CommandLine("setsid").addArgument(command.toString(), false);
        words.forEach(word -> line.addArgument(word, false));
        var child = new Child(grace);
        DefaultExecutor executor =
                DefaultExecutor.builder().setExecuteStreamHandler(child).setWorkingDirectory(new File("/")).get();
        executor.setProcessDestroyer(child);
        executor.setExitValues(null); // how it exits is no failure of ours
        // On a thread of ours: the ones that commons-exec makes are no daemons and would keep a server that gave up alive.
        Thread.ofVirtual().name("gpuq-child").start(() -> child.run(executor, line, environment()));
        child.awaitStart();
        return child;
    }

    private Map<String, String> environment() {
        var environment = new HashMap<String, String>();
        for (String name : OF_A_LOGIN) {
            String value = System.getenv(name);
            if (value != null) {
                environment.put(name, value);
            }
        }
        environment.put("GPUQ_CONF", conf.toString());
        return environment;
    }
}
