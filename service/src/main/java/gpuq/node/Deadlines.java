package gpuq.node;

import java.time.Duration;

/**
 * How long a node may take.
 *
 * @param opening from the start of a channel to its greeting, a slow login included
 * @param answer for one command, from the moment it is the next to be answered
 * @param beat how often {@code watch} says that it is there, whole seconds; three beats without a word end it
 */
public record Deadlines(Duration opening, Duration answer, Duration beat) {
    public static final Deadlines USUAL = new Deadlines(Duration.ofSeconds(30), Duration.ofSeconds(30), Duration.ofSeconds(5));

    public Deadlines {
        if (!opening.isPositive() || !answer.isPositive() || beat.toSeconds() < 1) {
            throw new IllegalArgumentException("deadlines are longer than nothing, a beat is a second or more");
        }
    }

    /** For a command that the node may take a minute for. */
    Deadlines unhurried() {
        return new Deadlines(opening, answer.plusMinutes(2), beat);
    }

    Duration silence() {
        return beat.multipliedBy(3);
    }
}
