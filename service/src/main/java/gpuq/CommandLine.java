package gpuq;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the server was called with. The start script {@code gpuq-server} says what there is.
 *
 * @param config the configuration file
 * @param check whether only to look at that
 * @param command its words; none to serve
 */
record CommandLine(Path config, boolean check, List<String> command) {

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
