package gpuq.node;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A node behind SSH. All its channels share one connection as long as the host allows that; where it allows only one session
 * ({@code MaxSessions 1}), each gets a connection of its own. Nothing is connected before the first channel.
 */
final class SshTransport implements Transport {
    private final SshAddress address;
    private final Deadlines deadlines;

    private final ReentrantLock lock = new ReentrantLock();
    private final List<SshConnection> connections = new ArrayList<>();
    private volatile boolean closed;

    SshTransport(SshAddress address, Deadlines deadlines) {
        this.address = address;
        this.deadlines = deadlines;
    }

    @Override
    public Channel open(List<String> words) throws IOException {
        String command = address.command() + " " + String.join(" ", words);
        lock.lock();
        try {
            if (closed) {
                throw new IOException("the server has closed its connection");
            }
            connections.removeIf(connection -> !connection.alive());
            for (SshConnection connection : connections) {
                Optional<Channel> channel = connection.run(command);
                if (channel.isPresent()) {
                    return channel.get();
                }
            }
            SshConnection connection = SshConnection.open(address, deadlines);
            connections.add(connection);
            return connection.run(command).orElseThrow(() -> new IOException("it takes no session"));
        } finally {
            lock.unlock();
            if (closed) {
                closeConnections();
            }
        }
    }

    /** Does not wait for whoever is still logging in: he closes what he finds. */
    @Override
    public void close() {
        closed = true;
        closeConnections();
    }

    private void closeConnections() {
        if (lock.tryLock()) {
            try {
                connections.forEach(SshConnection::close);
            } finally {
                lock.unlock();
            }
        }
    }
}
