package gpuq.api;

import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataReader.InsufficientDataAvailableException;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection: Helidon's own, with a reader that holds only so much. Helidon 4.1 reads the line before a chunk to its
 * end, however long it is, and a chunk as a whole; without this wall a few clients fill the heap.
 *
 * <p>A connection belongs to one virtual thread, on which {@link #current} finds it.
 */
final class Connection implements ConnectionContext {
    private static final ThreadLocal<Connection> CURRENT = new ThreadLocal<>();

    private final ConnectionContext wire;
    private final Deadlines deadlines;
    private final ApiSettings settings;
    private final int most;
    private final DataReader reader = new DataReader(this::pull);

    /** @param most bytes that may lie here unread */
    Connection(ConnectionContext wire, Deadlines deadlines, ApiSettings settings, int most) {
        this.wire = wire;
        this.deadlines = deadlines;
        this.settings = settings;
        this.most = most;
        CURRENT.set(this);
    }

    static Connection current() {
        return CURRENT.get();
    }

    Deadlines deadlines() {
        return deadlines;
    }

    ApiSettings settings() {
        return settings;
    }

    private byte @Nullable [] pull() {
        if (reader.available() > most) {
            throw Problem.tooLarge("body", "has a chunk, or a line between two chunks, of more than %d bytes".formatted(most));
        }
        try {
            wire.dataReader().ensureAvailable();
            return wire.dataReader().readBuffer().readBytes();
        } catch (InsufficientDataAvailableException end) {
            return null;
        }
    }

    /**
     * Runs {@code gone} as soon as the client has closed its side. Whatever it sends until then is thrown away, so this
     * connection can only be closed after the next answer. A client that vanished without a word is noticed by TCP keep-alive.
     */
    void whenGone(Runnable gone) {
        Thread.startVirtualThread(() -> {
            try {
                while (true) {
                    discard();
                }
            } catch (RuntimeException closed) {
                gone.run();
            }
        });
    }

    /** Reads and forgets up to {@code most} bytes, until the client closes or the deadline does. */
    void drain(long most, Deadlines.Deadline deadline) {
        try {
            for (long left = most; left > 0 && !deadline.struck(); ) {
                left -= discard();
            }
        } catch (RuntimeException closed) {
            // That is what we waited for.
        }
    }

    private int discard() {
        DataReader raw = wire.dataReader();
        raw.pullData();
        int read = raw.available();
        raw.skip(read);
        return read;
    }

    @Override
    public DataReader dataReader() {
        return reader;
    }

    @Override
    public DataWriter dataWriter() {
        return wire.dataWriter();
    }

    @Override
    public ListenerContext listenerContext() {
        return wire.listenerContext();
    }

    @Override
    public ExecutorService executor() {
        return wire.executor();
    }

    @Override
    public Router router() {
        return wire.router();
    }

    @Override
    public Optional<ProxyProtocolData> proxyProtocolData() {
        return wire.proxyProtocolData();
    }

    @Override
    public HelidonSocket serverSocket() {
        return wire.serverSocket();
    }

    @Override
    public PeerInfo remotePeer() {
        return wire.remotePeer();
    }

    @Override
    public PeerInfo localPeer() {
        return wire.localPeer();
    }

    @Override
    public boolean isSecure() {
        return wire.isSecure();
    }

    @Override
    public String socketId() {
        return wire.socketId();
    }

    @Override
    public String childSocketId() {
        return wire.childSocketId();
    }
}
