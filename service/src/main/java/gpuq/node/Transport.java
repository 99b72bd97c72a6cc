package gpuq.node;

import java.io.IOException;
import java.util.List;

/** A way to a node: runs {@code gpuq} there and connects to it. Any thread may call. */
interface Transport extends AutoCloseable {

    /**
     * Starts {@code gpuq} with these words on the node. Blocks no longer than the transport's own deadlines.
     *
     * @param words words of the protocol, so nothing in them needs quoting
     * @throws IOException when it could not be started; the message says why, without naming the node
     */
    Channel open(List<String> words) throws IOException;

    /** Closes what the channels share. Open channels are closed by whoever opened them. */
    @Override
    default void close() {}
}
