package gpuq.node;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.IntConsumer;

/** What a node says, read in bounded pieces: a flood ends the reading, not the server. One thread. */
final class Incoming {
    private static final int PIECE = 16 * 1024;

    private final BufferedInputStream in;

    Incoming(InputStream in) {
        this.in = new BufferedInputStream(in, 16 * 1024);
    }

    /**
     * The next line without its end. Bytes stay single characters: lines of the protocol are ASCII.
     *
     * @throws Lie when it is longer than {@code limit} bytes
     * @throws EOFException when the input ends first
     */
    String line(int limit) throws IOException {
        var line = new StringBuilder(64);
        for (int c = next(); c != '\n'; c = next()) {
            if (line.length() == limit) {
                throw new Lie("a line of more than %d bytes: '%s'", limit, Protocol.quotable(line.toString()));
            }
            line.append((char) c);
        }
        return line.toString();
    }

    /** Exactly {@code count} bytes. Memory is taken as they come, not as they are promised. @param next is told how many are read next */
    byte[] bytes(int count, IntConsumer next) throws IOException {
        var bytes = new ByteArrayOutputStream(Math.min(count, PIECE));
        while (bytes.size() < count) {
            int wanted = Math.min(count - bytes.size(), PIECE);
            next.accept(wanted);
            byte[] piece = in.readNBytes(wanted);
            if (piece.length < wanted) {
                throw new EOFException();
            }
            bytes.writeBytes(piece);
        }
        return bytes.toByteArray();
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private int next() throws IOException {
        int c = in.read();
        if (c < 0) {
            throw new EOFException();
        }
        return c;
    }
}
