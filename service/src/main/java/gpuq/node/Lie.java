package gpuq.node;

/** A node said something that the protocol does not allow. Never leaves the package: callers see {@link NodeUnreachable}. */
final class Lie extends RuntimeException {
    Lie(String message, Object... words) {
        super(message.formatted(words));
    }
}
