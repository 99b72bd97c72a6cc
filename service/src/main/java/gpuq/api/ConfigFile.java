package gpuq.api;

import gpuq.job.Submission;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What the user's {@code config_file} says: a checked submission, and the token that must belong to its user.
 */
record ConfigFile(Submission submission, String token) {
    /** Bytes. */
    static final int LIMIT = 64 << 10;

    private static final Set<String> REQUIRED = Set.of("competition_id", "project_id", "user_id", "expected_time", "token");
    private static final Set<String> OPTIONAL = Set.of("time_limit", "gpus", "priority", "node_id");
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final int LONGEST_TOKEN = 512;
    private static final int MOST_SECONDS = 30 * 24 * 3600;
    private static final int MOST_GPUS = 64;
    private static final int MOST_PRIORITY = 100;
    private static final int MOST_NODE = 9999;

    /**
     * Reads the file, adding to {@code faults} what is wrong with it.
     *
     * @return nothing if anything is
     */
    static Optional<ConfigFile> read(byte[] bytes, Duration defaultTimeLimit, Faults faults) {
        return Yaml.read(bytes, faults).flatMap(yaml -> {
            yaml.allow(REQUIRED, OPTIONAL, faults);
            Optional<String> competition = id(yaml, "competition_id", faults);
            Optional<String> project = id(yaml, "project_id", faults);
            Optional<String> user = id(yaml, "user_id", faults);
            Optional<Duration> expected = seconds(yaml, "expected_time", faults);
            Optional<String> token = yaml.text("token", faults).filter(text -> tokenIsSane(text, faults));
            Optional<Duration> limit = seconds(yaml, "time_limit", faults);
            Optional<Integer> gpus = yaml.integer("gpus", "", 1, MOST_GPUS, faults);
            Optional<Integer> priority = yaml.integer("priority", "", -MOST_PRIORITY, MOST_PRIORITY, faults);
            Optional<Integer> node = yaml.integer("node_id", "", 0, MOST_NODE, faults);
            if (List.of(competition, project, user, expected, token).stream().anyMatch(Optional::isEmpty)) {
                return Optional.empty();
            }
            var submission = new Submission(
                    user.get(),
                    project.get(),
                    competition,
                    expected.get(),
                    limit.orElse(defaultTimeLimit),
                    gpus.orElse(1),
                    priority.orElse(0),
                    node.map(OptionalInt::of).orElse(OptionalInt.empty()));
            return Optional.of(new ConfigFile(submission, token.get()));
        });
    }

    private static Optional<String> id(Yaml yaml, String key, Faults faults) {
        Optional<String> text = yaml.text(key, faults);
        if (text.isPresent() && !ID.matcher(text.get()).matches()) {
            faults.add(key, "must be 1 to 64 letters, digits, dots, dashes and underscores, and begin with a letter or digit");
            return Optional.empty();
        }
        return text;
    }

    private static Optional<Duration> seconds(Yaml yaml, String key, Faults faults) {
        return yaml.integer(key, " of seconds", 1, MOST_SECONDS, faults).map(Duration::ofSeconds);
    }

    private static boolean tokenIsSane(String token, Faults faults) {
        if (token.isEmpty() || token.length() > LONGEST_TOKEN) {
            faults.add("token", "must have 1 to %d characters", LONGEST_TOKEN);
            return false;
        }
        return true;
    }

    /** Without the token: a record that lands in a log by accident must not give it away. */
    @Override
    public String toString() {
        return "ConfigFile[submission=" + submission + "]";
    }
}
