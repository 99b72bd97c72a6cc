package gpuq.node;

import java.time.Duration;

/**
 * How long a node may take.
 *
 * @param opening from the start of a channel to its greeting, a login of some ten round trips included
 * @param answer for one command, from the moment it is the next to be answered
 * @param beat how often {@code watch} says that it is there, whole seconds; three beats without a word end it
 * @param rate bytes a second that the slowest link carries: what is sent and received may take longer by its size
 */
public record Deadlines(Duration opening, Duration answer, Duration beat, int rate) {
    private static final int WITHIN_A_HOST = Integer.MAX_VALUE;
    private static final int SLOWEST_LINK = 1024;

    public static final Deadlines USUAL = of(Duration.ofMinutes(1), Duration.ofSeconds(5));

    public Deadlines {
        if (!opening.isPositive() || !answer.isPositive() || beat.toSeconds() < 1 || rate < 1) {
            throw new IllegalArgumentException("deadlines are longer than nothing, a beat is a second or more");
        }
    }

    /** For a node on this host. */
    Deadlines(Duration opening, Duration answer, Duration beat) {
        this(opening, answer, beat, WITHIN_A_HOST);
    }

    /** Good for round trips that take half of {@code answer}. */
    public static Deadlines of(Duration answer, Duration beat) {
        return new Deadlines(answer.multipliedBy(5), answer, beat);
    }

    /** For a node that may be far away. */
    Deadlines overALink() {
        return new Deadlines(opening, answer, beat, SLOWEST_LINK);
    }

    /** For a command that the node may take a minute for. */
    Deadlines unhurried() {
        return new Deadlines(opening, answer.plusMinutes(2), beat, rate);
    }

    /** For an answer that so many bytes have to be carried for. */
    Duration answer(long bytes) {
        return answer.plusSeconds(bytes / rate);
    }

    Duration silence() {
        return beat.multipliedBy(3);
    }
}
