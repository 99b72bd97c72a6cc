package gpuq.node;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Pattern;

/** The grammar that all of {@code docs/node-protocol.md} shares. */
final class Protocol {
    static final int VERSION = 1;

    static final String WORD = "[A-Za-z0-9._:=+-]+";
    static final String JOB = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

    private static final Pattern A_WORD = Pattern.compile(WORD);
    private static final Pattern A_JOB = Pattern.compile(JOB);

    private static final int QUOTED = 500;

    private Protocol() {}

    /** @throws IllegalArgumentException if this may not be sent as a word */
    static String word(String text) {
        if (!A_WORD.matcher(text).matches()) {
            throw new IllegalArgumentException("'%s' is not a word of the node protocol".formatted(text));
        }
        return text;
    }

    static UUID job(String text) {
        if (!A_JOB.matcher(text).matches()) {
            throw new Lie("'%s' is not a job's id", quotable(text));
        }
        return UUID.fromString(text);
    }

    /** A duration in words, such as {@code 30 s}. */
    static String seconds(Duration duration) {
        return BigDecimal.valueOf(duration.toMillis(), 3).stripTrailingZeros().toPlainString() + " s";
    }

    /** What a node said, fit for a log line: no control characters, no more than 500 characters. */
    static String quotable(String text) {
        String plain = text.codePoints().limit(QUOTED)
                .map(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT ? ' ' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString().strip();
        return text.codePointCount(0, text.length()) > QUOTED ? plain + "…" : plain;
    }
}
