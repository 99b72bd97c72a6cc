package gpuq.placement;

import java.util.Optional;

/** Whether a node takes new work, and if not, why. The reasons are for people: one sentence without its full stop. */
sealed interface Condition {

    record Active() implements Condition {}

    /** It starts no more jobs, by somebody's wish. */
    record Draining(String reason) implements Condition {}

    /** Jobs would fail there. */
    record Unhealthy(String reason) implements Condition {}

    /** It does not answer; what runs there may go on. */
    record Unreachable(String reason) implements Condition {}

    /** Given up by an administrator; it first ends what it was given up with. */
    record Lost(String reason) implements Condition {}

    /** The condition of this {@link #word}. */
    static Condition of(String word, String reason) {
        return switch (word) {
            case "active" -> new Active();
            case "draining", "drained" -> new Draining(reason);
            case "unhealthy" -> new Unhealthy(reason);
            case "lost" -> new Lost(reason);
            default -> new Unreachable(reason);
        };
    }

    default Optional<String> why() {
        return switch (this) {
            case Active() -> Optional.empty();
            case Draining(String reason) -> Optional.of(reason);
            case Unhealthy(String reason) -> Optional.of(reason);
            case Unreachable(String reason) -> Optional.of(reason);
            case Lost(String reason) -> Optional.of(reason);
        };
    }

    /** @param running jobs that run there */
    default String word(int running) {
        return switch (this) {
            case Active() -> "active";
            case Draining(String reason) -> running > 0 ? "draining" : "drained";
            case Unhealthy(String reason) -> "unhealthy";
            case Unreachable(String reason) -> "unreachable";
            case Lost(String reason) -> "lost";
        };
    }
}
