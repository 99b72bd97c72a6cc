package gpuq.job;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What the API says of a job. The five words are the published ones. */
public enum Status {
    PENDING,
    RUNNING,
    COMPLETED,
    FAILED,
    CANCELLED;

    /** The word used in JSON, in SQL and in prose, such as {@code completed}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether a job in this status has ended and never changes again. */
    public boolean terminal() {
        return switch (this) {
            case PENDING, RUNNING -> false;
            case COMPLETED, FAILED, CANCELLED -> true;
        };
    }

    public static Optional<Status> of(String word) {
        return Arrays.stream(values()).filter(s -> s.word().equals(word)).findFirst();
    }
}
