package gpuq.node;

/** A node said no; the message is its sentence. */
public final class NodeRefused extends RuntimeException {
    private final int code;

    public NodeRefused(int code, String message) {
        super(message);
        this.code = code;
    }

    /** 64 malformed, 66 not there, 69 draining, 75 not now, 77 not allowed. */
    public int code() {
        return code;
    }
}
