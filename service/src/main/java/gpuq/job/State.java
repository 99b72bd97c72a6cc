package gpuq.job;

import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Where a job is on its way. A state carries exactly the facts that hold in it, and {@link #mayBecome} is the whole state
 * machine:
 *
 * <pre>
 *   unplaced ⇄ placed → sent → waiting → running → ended
 * </pre>
 *
 * <p>Up to {@code placed} the database alone decides. {@code sent} is committed before the first byte goes out: from then on
 * only the node's word moves the job, or an administrator's who gives the node up. What the node refuses, gives back or fails goes back to
 * {@code unplaced}, or to be placed on another, as a new attempt. Any state may end.
 */
public sealed interface State {

    /** No node can take it now. */
    record Unplaced() implements State {}

    /** A place is reserved on the node {@code on}; nothing has been sent. */
    record Placed(int on) implements State {}

    /** It may be on the node {@code on}: the command has been, or is being, sent. */
    record Sent(int on) implements State {}

    /** The node has it, in its queue. */
    record Waiting(int on) implements State {}

    record Running(int on, Instant startedAt) implements State {}

    /**
     * It ended and never changes again.
     *
     * @param at when: by the node's clock where the node said so
     */
    record Ended(OptionalInt endedOn, Optional<Instant> startedAt, Instant at, Outcome outcome) implements State {}

    /** Whether a job may go from this state to {@code next}; what is not listed is illegal. */
    default boolean mayBecome(State next) {
        return switch (this) {
            case Unplaced u -> next instanceof Placed || next instanceof Ended;
            case Placed p -> next instanceof Sent || next instanceof Placed || next instanceof Unplaced || next instanceof Ended;
            case Sent s -> !(next instanceof Sent);
            case Waiting w -> next instanceof Running || next instanceof Placed || next instanceof Unplaced || next instanceof Ended;
            case Running r -> next instanceof Unplaced || next instanceof Ended;
            case Ended e -> false;
        };
    }

    default Status status() {
        return switch (this) {
            case Unplaced u -> Status.PENDING;
            case Placed p -> Status.PENDING;
            case Sent s -> Status.PENDING;
            case Waiting w -> Status.PENDING;
            case Running r -> Status.RUNNING;
            case Ended e -> e.outcome().status();
        };
    }

    /** The node that it is placed on, is on, or ended on. */
    default OptionalInt node() {
        return switch (this) {
            case Unplaced u -> OptionalInt.empty();
            case Placed(int on) -> OptionalInt.of(on);
            case Sent(int on) -> OptionalInt.of(on);
            case Waiting(int on) -> OptionalInt.of(on);
            case Running r -> OptionalInt.of(r.on());
            case Ended e -> e.endedOn();
        };
    }

    /** The word in the database: {@code unplaced}, {@code placed}, {@code sent}, {@code waiting}, {@code running}, {@code ended}. */
    default String word() {
        return getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }
}
