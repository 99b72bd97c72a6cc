package gpuq.db;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.IntPredicate;

/**
 * Stands between clients and a MySQL server, and keeps the answer to some commits to itself: the commit is made, and then both sides are hung up on. Or it
 * lets an answer through, and nothing after it. It reads along, so the connection must not be encrypted.
 */
public final class CommitRelay implements AutoCloseable {
    private static final int LONGEST_COMMIT = 16; // a header of a few bytes, and the word
    private static final IntPredicate NONE = commit -> false;

    private final int server;
    private final ServerSocket door;
    private final AtomicInteger commits = new AtomicInteger();
    private final AtomicInteger lost = new AtomicInteger();
    private final AtomicReference<IntPredicate> losing = new AtomicReference<>(NONE);
    private final AtomicReference<Optional<String>> last = new AtomicReference<>(Optional.empty());
    private volatile boolean away;

    /** @param server the port of the MySQL server */
    public CommitRelay(int server) {
        this.server = server;
        try {
            door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.startVirtualThread(this::serve);
    }

    /** The same database, by way of this relay. */
    public DatabaseSettings through(DatabaseSettings direct) {
        String url = direct.url().replace(":" + server + "/", ":" + door.getLocalPort() + "/") + "?sslMode=DISABLED&allowPublicKeyRetrieval=true";
        return new DatabaseSettings(url, direct.username(), direct.password(), direct.connections());
    }

    /** From now on loses the answers to these commits, the next one being 1. */
    public void lose(IntPredicate which) {
        commits.set(0);
        losing.set(which);
    }

    public void loseNone() {
        lose(NONE);
    }

    /** Goes away as soon as the next transaction in which a client says this is committed and that answered. */
    public void leaveAfter(String words) {
        last.set(Optional.of(words));
    }

    /** Whether it went away. */
    public boolean left() {
        return away;
    }

    public void comeBack() {
        away = false;
    }

    /** How many answers were lost. */
    public int lost() {
        return lost.get();
    }

    private void serve() {
        try {
            while (true) {
                connect(door.accept());
            }
        } catch (IOException closed) {
            // the test is over
        }
    }

    private void connect(Socket client) throws IOException {
        if (away) {
            client.close();
            return;
        }
        try {
            Socket upstream = new Socket(InetAddress.getLoopbackAddress(), server);
            Line line = new Line(client, upstream);
            Thread.startVirtualThread(() -> line.pass(client, upstream, line::listen));
            Thread.startVirtualThread(() -> line.pass(upstream, client, line::answered));
        } catch (ConnectException away) {
            client.close();
        }
    }

    private final class Line {
        private final Socket client;
        private final Socket upstream;
        private volatile boolean deaf;
        private volatile boolean saysIt;
        private volatile boolean commitsIt;

        Line(Socket client, Socket upstream) {
            this.client = client;
            this.upstream = upstream;
        }

        void pass(Socket from, Socket to, Consumer<byte[]> heard) {
            byte[] buffer = new byte[1 << 16];
            try (client; upstream) {
                int read = from.getInputStream().read(buffer);
                while (read > 0 && !(deaf && from == upstream)) {
                    boolean late = away;
                    heard.accept(Arrays.copyOf(buffer, read));
                    if (late) {
                        return;
                    }
                    to.getOutputStream().write(buffer, 0, read);
                    read = from.getInputStream().read(buffer);
                }
            } catch (IOException hungUp) {
                // so does the other one
            }
            if (deaf && from == upstream) {
                lost.incrementAndGet();
            }
        }

        private void listen(byte[] said) {
            String words = new String(said, StandardCharsets.ISO_8859_1);
            boolean commit = said.length <= LONGEST_COMMIT && words.toLowerCase(Locale.ROOT).endsWith("commit");
            deaf = deaf || commit && losing.get().test(commits.incrementAndGet());
            saysIt |= last.get().filter(words::contains).isPresent();
            commitsIt = commit && saysIt;
        }

        private void answered(byte[] said) {
            if (commitsIt && last.getAndSet(Optional.empty()).isPresent()) {
                away = true;
            }
        }
    }

    @Override
    public void close() {
        try {
            door.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
