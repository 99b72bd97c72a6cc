package gpuq;

import gpuq.CommandLine.Misuse;
import gpuq.db.DatabaseException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * By which commands reach the server that has the embedded database open: a socket in a folder of the data directory that only its owner may enter. The
 * client sends its words, each with a NUL behind it, and ends its half; the answer is the exit code, a space, and what to print.
 */
final class ControlSocket implements AutoCloseable {
    private static final Logger LOG = System.getLogger(ControlSocket.class.getName());
    private static final int LONGEST_COMMAND = 64 << 10;
    private static final int LONGEST_ANSWER = 64 << 20;
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration PATIENCE_OF_CLIENT = Duration.ofSeconds(30);
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(100);

    private final ServerSocketChannel socket;
    private final Function<List<String>, String> commands;

    /** @param code of the command's exit @param text to print: on standard output where the code is 0 */
    record Answer(int code, String text) {}

    private ControlSocket(ServerSocketChannel socket, Function<List<String>, String> commands) {
        this.socket = socket;
        this.commands = commands;
    }

    /** Listens. What an earlier, killed server left is replaced: the data directory is this one's. Nothing where the system allows no such socket. */
    static Optional<ControlSocket> listen(Path dataDirectory, Function<List<String>, String> commands) {
        Path path = path(dataDirectory);
        try {
            Files.createDirectories(path.getParent());
            Files.setPosixFilePermissions(path.getParent(), PosixFilePermissions.fromString("rwx------"));
            Files.deleteIfExists(path);
            ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path));
            ControlSocket control = new ControlSocket(socket, commands);
            Thread.ofVirtual().name("control").start(control::accept);
            return Optional.of(control);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "commands need the server to be stopped: {0} cannot be listened at ({1})", path, e.getMessage());
            return Optional.empty();
        }
    }

    private static Path path(Path dataDirectory) {
        return dataDirectory.resolve("control").resolve("socket");
    }

    private void accept() {
        while (socket.isOpen()) {
            try {
                SocketChannel client = socket.accept();
                Thread.ofVirtual().name("control-client").start(() -> serve(client));
            } catch (IOException notNow) {
                LOG.log(Level.DEBUG, "a command could not be taken: {0}", notNow.getMessage());
                LockSupport.parkNanos(BETWEEN_TRIES.toNanos());
            }
        }
    }

    private void serve(SocketChannel client) {
        Thread deadline = Thread.ofVirtual().start(() -> hangUp(client, PATIENCE));
        try (client) {
            Answer answer = answer(words(read(client, LONGEST_COMMAND)));
            byte[] bytes = (answer.code() + " " + answer.text()).getBytes(StandardCharsets.UTF_8);
            Channels.newOutputStream(client).write(bytes);
        } catch (IOException gone) {
            LOG.log(Level.DEBUG, "a command was not answered: {0}", gone.getMessage());
        } finally {
            deadline.interrupt();
        }
    }

    private Answer answer(List<String> words) {
        try {
            return new Answer(0, commands.apply(words));
        } catch (Misuse wrong) {
            return new Answer(64, wrong.getMessage());
        } catch (DatabaseException notNow) {
            return new Answer(75, notNow.getMessage());
        } catch (RuntimeException failure) {
            LOG.log(Level.ERROR, "a command failed", failure);
            return new Answer(70, "it failed; the server's log says more");
        }
    }

    private static void hangUp(SocketChannel channel, Duration after) {
        try {
            Thread.sleep(after);
            channel.close();
        } catch (InterruptedException | IOException done) {
            // there was an answer, or nobody any more
        }
    }

    /** Has the server that listens there carry out a command. @return nothing if none listens */
    static Optional<Answer> ask(Path dataDirectory, List<String> words) {
        try (SocketChannel server = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.connect(UnixDomainSocketAddress.of(path(dataDirectory)));
            return Optional.of(asked(server, words));
        } catch (IOException | IllegalArgumentException nobody) {
            return Optional.empty();
        }
    }

    private static Answer asked(SocketChannel server, List<String> words) {
        Thread deadline = Thread.ofVirtual().start(() -> hangUp(server, PATIENCE_OF_CLIENT));
        try {
            Channels.newOutputStream(server).write((String.join("\0", words) + "\0").getBytes(StandardCharsets.UTF_8));
            server.shutdownOutput();
            String answer = new String(read(server, LONGEST_ANSWER), StandardCharsets.UTF_8);
            int space = answer.indexOf(' ');
            return new Answer(Integer.parseInt(answer.substring(0, Math.max(0, space))), answer.substring(space + 1));
        } catch (IOException | NumberFormatException silent) {
            return new Answer(75, "the server that runs here has not answered; what was asked may have been done");
        } finally {
            deadline.interrupt();
        }
    }

    private static byte[] read(SocketChannel from, int most) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        ByteBuffer some = ByteBuffer.allocate(4096);
        while (from.read(some.clear()) >= 0) {
            all.write(some.array(), 0, some.position());
            if (all.size() > most) {
                throw new IOException("more than %d bytes".formatted(most));
            }
        }
        return all.toByteArray();
    }

    private static List<String> words(byte[] bytes) {
        List<String> words = List.of(new String(bytes, StandardCharsets.UTF_8).split("\0", -1));
        return words.subList(0, words.size() - 1);
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // it is not listened at either way
        }
    }
}
