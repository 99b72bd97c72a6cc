package gpuq.lease;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Which server this is: an id that stays in its data directory, locked for one process. Whoever finds the lease in the name of its own id knows
 * therefore that the process that took it is dead.
 */
public final class ServerId implements AutoCloseable {
    private static final int LENGTH = 36;

    private final FileChannel file;
    private final String id;

    private ServerId(FileChannel file, String id) {
        this.file = file;
        this.id = id;
    }

    /** @throws UncheckedIOException if another process uses the directory, or it cannot be written, in one sentence */
    public static ServerId in(Path dataDirectory) {
        Path path = dataDirectory.resolve("server-id");
        try {
            Files.createDirectories(dataDirectory);
            FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (!locked(file)) {
                file.close();
                String why = "the data directory %s is in use by another server: stop that one, or give this one a directory of its own".formatted(dataDirectory);
                throw new UncheckedIOException(why, new IOException(why));
            }
            return new ServerId(file, kept(file));
        } catch (IOException e) {
            throw new UncheckedIOException("the data directory %s cannot be written (%s)".formatted(dataDirectory, e.getMessage()), e);
        }
    }

    private static boolean locked(FileChannel file) throws IOException {
        try {
            return file.tryLock() != null;
        } catch (OverlappingFileLockException here) {
            return false;
        }
    }

    /** A half-written one, of a server that was killed at its very first start, is replaced. */
    private static String kept(FileChannel file) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(LENGTH);
        file.read(bytes, 0);
        String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
        if (text.matches("[0-9a-f-]{36}")) {
            return text;
        }
        String made = UUID.randomUUID().toString();
        file.write(ByteBuffer.wrap((made + "\n").getBytes(StandardCharsets.US_ASCII)), 0);
        file.force(true);
        return made;
    }

    public String text() {
        return id;
    }

    /** Lets another process have the directory. */
    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            // the process's end releases it
        }
    }
}
