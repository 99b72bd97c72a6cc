package gpuq.job;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a job ended: one of the three terminal statuses with exactly the facts that belong to it.
 * The table "What a status means" of the API documentation is decided in {@code sync}.
 */
public sealed interface Outcome {

    /** A score exists, or an operator's script ended with 0. */
    record Completed(int code) implements Outcome {}

    /** @param detail one sentence for people, without control characters */
    record Failed(Reason because, String detail, OptionalInt code) implements Outcome {}

    record Cancelled() implements Outcome {}

    default Status status() {
        return switch (this) {
            case Completed c -> Status.COMPLETED;
            case Failed f -> Status.FAILED;
            case Cancelled c -> Status.CANCELLED;
        };
    }

    default OptionalInt exitCode() {
        return switch (this) {
            case Completed(int code) -> OptionalInt.of(code);
            case Failed failed -> failed.code();
            case Cancelled c -> OptionalInt.empty();
        };
    }

    default Optional<Reason> reason() {
        return this instanceof Failed failed ? Optional.of(failed.because()) : Optional.empty();
    }
}
