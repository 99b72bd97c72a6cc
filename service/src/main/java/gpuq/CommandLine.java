package gpuq;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the server was called with.
 *
 * @param config the configuration file
 * @param check whether only to look at that
 * @param command its words; none to serve
 */
record CommandLine(Path config, boolean check, List<String> command) {
    static final String USAGE = """
            Usage: gpuq-server --config FILE [--check-config | COMMAND]

              (no command)            serve until TERM; HUP reads the nodes in FILE anew
              --check-config          say all that is wrong with the configuration, or print it as it is in effect
              migrate                 bring the schema of the database up to date
              restored                say that the database came from a backup: before the server that starts next hands out
                                      anything, it asks every node what it has
              user add ID [--admin]   make a user, or give one a further token; prints the token, once
              user list               all users
              user revoke ID          revoke all tokens of a user
              audit [--limit N]       who did what, the last N lines (100), the newest one last

            Commands work beside a running server, also where its database is embedded.
            docs/configuration.md describes FILE.""";

    /** @throws Misuse if they make no sense, in one line */
    static CommandLine of(List<String> words) {
        Optional<Path> config = Optional.empty();
        boolean check = false;
        List<String> command = new ArrayList<>();
        for (int i = 0; i < words.size(); i++) {
            switch (words.get(i)) {
                case "--config" -> {
                    if (++i == words.size()) {
                        throw new Misuse("--config takes a file");
                    }
                    config = Optional.of(Path.of(words.get(i)));
                }
                case "--check-config" -> check = true;
                default -> command.add(words.get(i));
            }
        }
        if (check && !command.isEmpty()) {
            throw new Misuse("--check-config goes without a command");
        }
        return new CommandLine(config.orElseThrow(() -> new Misuse("name the configuration with --config FILE; --help says more")), check, command);
    }

    /** The command line is not as it should be. */
    static final class Misuse extends RuntimeException {
        Misuse(String message) {
            super(message);
        }
    }
}
