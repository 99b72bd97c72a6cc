package gpuq.node;

import java.io.InputStream;
import java.io.OutputStream;

/** One running {@code gpuq} on a node. One thread writes, another reads, any thread closes. */
interface Channel extends AutoCloseable {

    OutputStream in();

    InputStream out();

    /** The last line that it wrote to its standard error, in brackets behind a space; empty when there is none. */
    String lastWords();

    /** The threads on which reading from {@link #out} may block for as long as it likes. */
    default Thread.Builder reader() {
        return Thread.ofVirtual();
    }

    /** Ends it and whoever is blocked on its streams, soon. Does not block. */
    @Override
    void close();
}
