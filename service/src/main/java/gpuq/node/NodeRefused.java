package gpuq.node;

/** A node said no; the message is its sentence. */
public final class NodeRefused extends RuntimeException {
    public static final int MALFORMED = 64;
    public static final int NOT_THERE = 66;
    public static final int DRAINING = 69;
    public static final int NOT_NOW = 75;
    public static final int NOT_ALLOWED = 77;

    private final int code;

    public NodeRefused(int code, String message) {
        super(message);
        this.code = code;
    }

    /** One of the constants above, as the protocol gives them. */
    public int code() {
        return code;
    }
}
