package gpuq.config;

import java.util.List;

/** The configuration cannot be used. The message is for people: a line for each fault. */
public final class ConfigRefused extends RuntimeException {
    private final transient List<String> faults;

    ConfigRefused(String source, List<String> faults) {
        super("%s: %s".formatted(source, faults.size() == 1 ? faults.getFirst()
                : faults.size() + " faults\n  " + String.join("\n  ", faults)));
        this.faults = List.copyOf(faults);
    }

    /** One sentence each, beginning with the key. */
    public List<String> faults() {
        return faults;
    }
}
