package gpuq.node;

/** No answer came from a node: nobody knows whether it did what it was told. */
public final class NodeUnreachable extends RuntimeException {
    public NodeUnreachable(String message) {
        super(message);
    }

    public NodeUnreachable(String message, Throwable cause) {
        super(message, cause);
    }

    /** The same news for another thread, with that thread's own stack trace. */
    static NodeUnreachable again(Throwable first) {
        return new NodeUnreachable(String.valueOf(first.getMessage()), first);
    }
}
