package gpuq.node;

/** A node did what it was told, or has what it was asked for, but what it says of that job is not as the protocol says. The next answer may be. */
public final class Unreadable extends RuntimeException {
    Unreadable(String message, Throwable cause) {
        super(message, cause);
    }
}
