package gpuq.api;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes a failure for the log so that no stranger's text in it can pass for a line of ours. */
final class LogSafe {
    private static final int MOST_CAUSES = 5;
    private static final int MOST_FRAMES = 12;

    private LogSafe() {}

    static String describe(Throwable thrown) {
        List<String> lines = new ArrayList<>();
        Throwable cause = thrown;
        for (int depth = 0; cause != null && depth < MOST_CAUSES; depth++, cause = cause.getCause()) {
            lines.add(cause.getClass().getName() + " " + quoted(cause.getMessage()));
            StackTraceElement[] frames = cause.getStackTrace();
            for (int i = 0; i < Math.min(frames.length, MOST_FRAMES); i++) {
                lines.add("    at " + frames[i]);
            }
        }
        return String.join("\n", lines);
    }

    /** In double quotes, with everything that is not printable ASCII written as an escape, at most 500 characters of it. */
    static String quoted(@Nullable String text) {
        if (text == null) {
            return "";
        }
        var out = new StringBuilder("\"");
        for (char c : text.substring(0, Math.min(text.length(), 500)).toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                out.append("\\u%04x".formatted((int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
