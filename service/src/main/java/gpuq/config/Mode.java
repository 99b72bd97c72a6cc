package gpuq.config;

import java.util.Locale;

/** What the server is for. */
public enum Mode {
    /** Refuses to start with the demonstration user. */
    PRODUCTION,
    /** Makes the published demonstration user. */
    DEMONSTRATION;

    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
