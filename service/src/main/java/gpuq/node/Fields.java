package gpuq.node;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * One record of the protocol, a run of lines {@code key value}. Keys that nobody asks for are ignored; whoever asks for one
 * gets a value of the right kind or a {@link Lie} that names the key.
 */
final class Fields {
    private static final int LONGEST_TEXT = 256;
    private static final int LONGEST_NAME = 64;
    private static final long LAST_MICRO = 253_402_300_799_999_999L; // the end of the year 9999

    private static final Pattern KEY = Pattern.compile("[a-z_][a-z0-9_]*");

    private final Map<String, List<String>> values = new LinkedHashMap<>();
    private Optional<Lie> wrong = Optional.empty();

    private Fields() {}

    /** All records of a body that is not large, each line of which must be one of a record. */
    static List<Fields> parse(byte[] body) {
        var records = new ArrayList<Fields>();
        each(body, records::add);
        records.forEach(Fields::checkLines);
        return records;
    }

    /** One record of a body after the other, so that of a large one no more is kept than what is made of it. An empty line, or the end, ends one. */
    static void each(byte[] body, Consumer<Fields> read) {
        var open = new Fields();
        for (int at = 0; at < body.length; ) {
            int end = at;
            while (end < body.length && body[end] != '\n') {
                end++;
            }
            if (end > at) {
                open.add(new String(body, at, end - at, StandardCharsets.UTF_8));
            } else if (open.begun()) {
                read.accept(open);
                open = new Fields();
            }
            at = end + 1;
        }
        if (open.begun()) {
            read.accept(open);
        }
    }

    /** The one record of a body; what is no line of one is for {@link #checkLines} to tell. */
    static Fields single(byte[] body) {
        var records = new ArrayList<Fields>();
        each(body, records::add);
        if (records.size() != 1) {
            throw new Lie("%d records instead of one", records.size());
        }
        return records.getFirst();
    }

    private boolean begun() {
        return !values.isEmpty() || wrong.isPresent();
    }

    private void add(String line) {
        int space = line.indexOf(' ');
        String key = space < 0 ? line : line.substring(0, space);
        if (!KEY.matcher(key).matches()) {
            wrong = Optional.of(new Lie("'%s' is not a line of a record", Protocol.quotable(line)));
            return;
        }
        values.computeIfAbsent(key, k -> new ArrayList<>(1)).add(space < 0 ? "" : line.substring(space + 1));
    }

    /** Throws a {@link Lie} if there was a line that is none of a record. */
    void checkLines() {
        wrong.ifPresent(lie -> {
            throw lie;
        });
    }

    /** Every value of a key that may be repeated. */
    List<String> all(String key) {
        return values.getOrDefault(key, List.of());
    }

    Optional<String> maybe(String key) {
        List<String> all = all(key);
        if (all.size() > 1) {
            throw new Lie("%s: said %d times", key, all.size());
        }
        return all.stream().findFirst();
    }

    /** An identifier or the like: required, no control characters, not endless. */
    String text(String key) {
        String text = maybe(key).orElseThrow(() -> new Lie("%s: missing", key));
        if (text.isEmpty() || text.length() > LONGEST_TEXT || text.chars().anyMatch(Character::isISOControl)) {
            throw new Lie("%s: '%s' is empty, too long or holds control characters", key, Protocol.quotable(text));
        }
        return text;
    }

    /** The same, with 64 characters at most. */
    String name(String key) {
        String name = text(key);
        if (name.length() > LONGEST_NAME) {
            throw new Lie("%s: '%s' is longer than %d characters", key, Protocol.quotable(name), LONGEST_NAME);
        }
        return name;
    }

    Optional<String> maybeName(String key) {
        return maybe(key).isEmpty() ? Optional.empty() : Optional.of(name(key));
    }

    /** Words for people; made harmless rather than refused, empty when absent. */
    String sentence(String key) {
        return Protocol.quotable(maybe(key).orElse(""));
    }

    UUID job(String key) {
        try {
            return Protocol.job(text(key));
        } catch (Lie lie) {
            throw new Lie("%s: %s", key, lie.getMessage());
        }
    }

    <E extends Enum<E>> E oneOf(Class<E> kind, String key) {
        String word = text(key);
        for (E constant : kind.getEnumConstants()) {
            if (constant.name().toLowerCase(Locale.ROOT).equals(word)) {
                return constant;
            }
        }
        throw new Lie("%s: '%s' is none of its words", key, Protocol.quotable(word));
    }

    OptionalLong maybeNumber(String key, long least, long most) {
        Optional<String> text = maybe(key);
        if (text.isEmpty()) {
            return OptionalLong.empty();
        }
        if (!text.get().matches("-?[0-9]{1,18}")) {
            throw new Lie("%s: '%s' is not a number", key, Protocol.quotable(text.get()));
        }
        long number = Long.parseLong(text.get());
        if (number < least || number > most) {
            throw new Lie("%s: %d is not between %d and %d", key, number, least, most);
        }
        return OptionalLong.of(number);
    }

    long number(String key, long least, long most) {
        return maybeNumber(key, least, most).orElseThrow(() -> new Lie("%s: missing", key));
    }

    int count(String key, int least) {
        return (int) number(key, least, Integer.MAX_VALUE);
    }

    Duration seconds(String key) {
        return Duration.ofSeconds(number(key, 0, Integer.MAX_VALUE));
    }

    Optional<Instant> maybeMoment(String key) {
        OptionalLong micros = maybeNumber(key, 0, LAST_MICRO);
        return micros.isEmpty() ? Optional.empty() : Optional.of(Instant.EPOCH.plus(micros.getAsLong(), ChronoUnit.MICROS));
    }

    Instant moment(String key) {
        return maybeMoment(key).orElseThrow(() -> new Lie("%s: missing", key));
    }
}
