package gpuq.node;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.net.SocketFactory;
import net.schmizz.keepalive.KeepAliveProvider;
import net.schmizz.keepalive.KeepAliveRunner;
import net.schmizz.sshj.Config;
import net.schmizz.sshj.DefaultConfig;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.common.SSHException;
import net.schmizz.sshj.common.SecurityUtils;
import net.schmizz.sshj.connection.channel.OpenFailException;
import net.schmizz.sshj.connection.channel.direct.Session;
import net.schmizz.sshj.userauth.UserAuthException;
import net.schmizz.sshj.userauth.keyprovider.KeyProvider;

/** One SSH connection and its channels; it goes with the last of them. Any thread may call. */
final class SshConnection {
    private static final int UNANSWERED = 3; // keep-alives, until the other side counts as gone

    private final SSHClient client;
    private final AtomicInteger channels = new AtomicInteger(); // negative: it goes

    private SshConnection(SSHClient client) {
        this.client = client;
    }

    /**
     * Connects and logs in, all within the deadline for an opening.
     *
     * @throws IOException when that fails; the message says why
     */
    static SshConnection open(SshAddress address, Deadlines deadlines) throws IOException {
        var hostKey = hostKey(address);
        var client = client(hostKey, deadlines);
        var login = new CompletableFuture<Void>();
        Thread.ofVirtual().name("gpuq-ssh-login").start(() -> {
            try {
                client.connect(address.host(), address.port());
                client.authPublickey(address.user(), key(client, address));
                if (!login.complete(null)) {
                    leave(client); // too late: nobody waits any more
                }
            } catch (IOException | RuntimeException e) {
                login.completeExceptionally(e);
            }
        });
        try {
            login.get(deadlines.opening().toNanos(), TimeUnit.NANOSECONDS);
            return new SshConnection(client);
        } catch (TimeoutException e) {
            login.completeExceptionally(e);
            leave(client);
            throw new IOException("no login at %s within %s".formatted(place(address), Protocol.seconds(deadlines.opening())), e);
        } catch (InterruptedException e) {
            login.completeExceptionally(e);
            leave(client);
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while logging in at " + place(address));
        } catch (ExecutionException e) {
            leave(client);
            throw new IOException(why(e.getCause(), hostKey, address), e.getCause());
        }
    }

    private static PinnedHostKey hostKey(SshAddress address) throws IOException {
        try {
            return new PinnedHostKey(address.hostKey());
        } catch (IOException e) {
            throw new IOException("the known hosts cannot be read: " + e.getMessage(), e);
        }
    }

    private static SSHClient client(PinnedHostKey hostKey, Deadlines deadlines) {
        var client = new SSHClient(Library.CONFIG);
        int opening = (int) deadlines.opening().toMillis();
        client.setSocketFactory(new WithoutDelay());
        client.setConnectTimeout((int) deadlines.answer().toMillis());
        client.setTimeout(opening);
        client.getConnection().setTimeoutMs(opening);
        client.addHostKeyVerifier(hostKey);
        // Set after the connection is made it would never begin.
        var keepAlive = (KeepAliveRunner) client.getConnection().getKeepAlive();
        keepAlive.setKeepAliveInterval((int) Math.max(1, deadlines.answer().dividedBy(UNANSWERED).toSeconds()));
        keepAlive.setMaxAliveCount(UNANSWERED);
        return client;
    }

    private static KeyProvider key(SSHClient client, SshAddress address) throws IOException {
        try {
            KeyProvider key = client.loadKeys(address.key().toString());
            key.getPrivate();
            return key;
        } catch (IOException | RuntimeException e) {
            throw new UnreadableKey("the key %s cannot be used: %s".formatted(address.key(), e.getMessage()), e);
        }
    }

    private static final class UnreadableKey extends IOException {
        private static final long serialVersionUID = 1;

        UnreadableKey(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private static String why(Throwable failure, PinnedHostKey hostKey, SshAddress address) {
        if (!hostKey.refusal().isEmpty()) {
            return hostKey.refusal();
        }
        return switch (failure) {
            case UnreadableKey key -> key.getMessage();
            case UserAuthException refused -> "%s does not let %s in with the key %s".formatted(place(address), address.user(), address.key());
            case UnknownHostException unknown -> "there is no host " + address.host();
            case ConnectException refused -> "nobody listens at " + place(address);
            case IOException e when late(e) -> "no answer from " + place(address);
            default -> "no SSH with %s: %s".formatted(place(address), Protocol.quotable(String.valueOf(failure.getMessage())));
        };
    }

    private static boolean late(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause).anyMatch(SocketTimeoutException.class::isInstance);
    }

    private static String place(SshAddress address) {
        return address.host() + ":" + address.port();
    }

    boolean alive() {
        return channels.get() >= 0 && client.isConnected() && client.isAuthenticated();
    }

    /**
     * Runs a command.
     *
     * @return nothing when the host takes no more sessions on this connection
     * @throws IOException when the connection is of no use any more; it is closed then
     */
    Optional<Channel> run(String command) throws IOException {
        if (channels.getAndUpdate(n -> n < 0 ? n : n + 1) < 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(new SshChannel(client.startSession().exec(command)));
        } catch (OpenFailException full) {
            released();
            return Optional.empty();
        } catch (SSHException e) {
            close();
            throw new IOException("the SSH connection broke: " + Protocol.quotable(String.valueOf(e.getMessage())), e);
        }
    }

    private void released() {
        if (channels.updateAndGet(n -> n == 1 ? -1 : n - 1) < 0) {
            close();
        }
    }

    /** Does not block. */
    void close() {
        leave(client);
    }

    /** On a thread of its own: a goodbye to somebody who is gone takes its time. */
    private static void leave(SSHClient client) {
        Thread.ofVirtual().name("gpuq-ssh-goodbye").start(() -> {
            try {
                client.close();
            } catch (IOException | RuntimeException e) {
                // it is gone already
            }
        });
    }

    private final class SshChannel implements Channel {
        private final Session.Command command;
        private final LastWords lastWords = new LastWords();
        private final AtomicInteger closed = new AtomicInteger();

        SshChannel(Session.Command command) {
            this.command = command;
            Thread.ofVirtual().name("gpuq-ssh-stderr").start(() -> lastWords.listen(command.getErrorStream()));
        }

        @Override
        public OutputStream in() {
            return command.getOutputStream();
        }

        @Override
        public InputStream out() {
            return command.getInputStream();
        }

        @Override
        public String lastWords() {
            return lastWords.inBrackets();
        }

        @Override
        public void close() {
            if (closed.getAndIncrement() == 0) {
                Thread.ofVirtual().name("gpuq-ssh-close").start(() -> {
                    try {
                        command.getInputStream().close(); // whoever reads is let go at once, whatever the other side does
                        command.close();
                    } catch (IOException | RuntimeException e) {
                        // the connection is gone, and the channel with it
                    } finally {
                        released();
                    }
                });
            }
        }
    }

    /** Made once: it looks for what the machine can do. */
    private static final class Library {
        static final Config CONFIG = config();

        private static Config config() {
            SecurityUtils.setRegisterBouncyCastle(false);
            var config = new DefaultConfig();
            config.setKeepAliveProvider(KeepAliveProvider.KEEP_ALIVE);
            return config;
        }
    }

    /** With the delay that TCP likes to make every command would take 40 ms. */
    private static final class WithoutDelay extends SocketFactory {
        @Override
        public Socket createSocket() throws IOException {
            var socket = new Socket();
            socket.setTcpNoDelay(true);
            return socket;
        }

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            return SocketFactory.getDefault().createSocket(host, port);
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress from, int fromPort) throws IOException {
            return SocketFactory.getDefault().createSocket(host, port, from, fromPort);
        }

        @Override
        public Socket createSocket(InetAddress host, int port) throws IOException {
            return SocketFactory.getDefault().createSocket(host, port);
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress from, int fromPort) throws IOException {
            return SocketFactory.getDefault().createSocket(host, port, from, fromPort);
        }
    }
}
