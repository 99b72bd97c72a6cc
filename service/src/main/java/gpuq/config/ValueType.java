package gpuq.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What values a setting takes.
 *
 * @param words how the page says it
 * @param parse throws {@link IllegalArgumentException} with what the value should be
 */
record ValueType<T>(String words, Function<String, T> parse) {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,10})(?: ?(KiB|MiB))?");

    static ValueType<String> text() {
        return new ValueType<>("text", Function.identity());
    }

    static ValueType<String> host() {
        return new ValueType<>("host name or address", value -> {
            require(value.matches("[A-Za-z0-9._:%-]+"), "a host name or address");
            return value;
        });
    }

    /** Something that needs no quoting in a shell. */
    static ValueType<String> word() {
        return new ValueType<>("word", value -> {
            require(value.matches("[A-Za-z0-9_/][A-Za-z0-9_./@+-]*"), "a word of letters, digits and _ . / @ + -");
            return value;
        });
    }

    static ValueType<String> fingerprint() {
        String should = "SHA256: and the 43 characters that `ssh-keygen -l` prints";
        return new ValueType<>(should, value -> {
            require(value.matches("SHA256:[A-Za-z0-9+/]{43}"), should);
            return value;
        });
    }

    static ValueType<Path> path(Path relativeTo) {
        return new ValueType<>("path", value -> {
            require(!value.isBlank(), "a path");
            try {
                return relativeTo.resolve(value).toAbsolutePath().normalize();
            } catch (InvalidPathException e) {
                throw new IllegalArgumentException("a path", e);
            }
        });
    }

    static ValueType<Boolean> flag() {
        return new ValueType<>("`true` or `false`", value -> {
            require(value.equals("true") || value.equals("false"), "true or false");
            return value.equals("true");
        });
    }

    static ValueType<Integer> whole(int least, int most) {
        String should = "a whole number from %d to %d".formatted(least, most);
        return new ValueType<>(should.substring(2), value -> {
            require(value.matches("-?[0-9]{1,10}"), should);
            long number = Long.parseLong(value);
            require(least <= number && number <= most, should);
            return (int) number;
        });
    }

    static ValueType<Integer> size(int most) {
        String should = "a size from 1 byte to %d MiB, such as 512 KiB".formatted(most >> 20);
        return new ValueType<>(should.substring(2), value -> {
            Matcher matcher = SIZE.matcher(value);
            require(matcher.matches(), should);
            long unit = switch (String.valueOf(matcher.group(2))) {
                case "KiB" -> 1 << 10;
                case "MiB" -> 1 << 20;
                default -> 1;
            };
            long bytes = Long.parseLong(matcher.group(1)) * unit;
            require(1 <= bytes && bytes <= most, should);
            return (int) bytes;
        });
    }

    static ValueType<Duration> duration(String least, String most) {
        String should = "a duration from %s to %s".formatted(least, most);
        return new ValueType<>(should.substring(2), value -> {
            try {
                Duration duration = Duration.parse(value);
                require(duration.compareTo(Duration.parse(least)) >= 0 && duration.compareTo(Duration.parse(most)) <= 0, should);
                return duration;
            } catch (DateTimeParseException e) {
                throw new IllegalArgumentException(should, e);
            }
        });
    }

    static ValueType<Mode> mode() {
        String should = Arrays.stream(Mode.values()).map(Mode::word).collect(Collectors.joining(" or "));
        String words = Arrays.stream(Mode.values()).map(mode -> "`" + mode.word() + "`").collect(Collectors.joining(" or "));
        return new ValueType<>(words, value -> Arrays.stream(Mode.values()).filter(mode -> mode.word().equals(value)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException(should)));
    }

    static ValueType<String> jdbcUrl() {
        return new ValueType<>("JDBC URL of MySQL", value -> {
            require(value.isEmpty() || value.startsWith("jdbc:mysql:"), "a JDBC URL of MySQL; leave it out for the embedded database");
            return value;
        });
    }

    private static void require(boolean holds, String should) {
        if (!holds) {
            throw new IllegalArgumentException(should);
        }
    }
}
