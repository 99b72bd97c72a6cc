package gpuq.config;

import java.util.Locale;

/**
 * One setting: how it is called, what it may be, and what it means. The page {@code docs/configuration.md} says the same.
 *
 * @param key dash-case, with dots
 * @param standard the value when none is given, as one would write it; empty for none
 * @param meaning a sentence or two for the page
 * @param secret whether its value is never shown
 */
record Setting<T>(String key, ValueType<T> type, String standard, String meaning, boolean secret) {

    static <T> Setting<T> of(String key, ValueType<T> type, String standard, String meaning) {
        return new Setting<>(key, type, standard, meaning, false);
    }

    /** The variable that overrides the file: {@code GPUQ_SERVER_} and the key, in which a leading {@code server} is not repeated. */
    String variable() {
        String words = key.replaceFirst("^server\\.", "").replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
        return "GPUQ_SERVER_" + words;
    }

    /** The line of the page. */
    String row() {
        return "| `%s` | %s | %s | %s |".formatted(key, type.words(), standard.isEmpty() ? "–" : "`" + standard + "`", meaning);
    }
}
