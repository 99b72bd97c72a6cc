package gpuq.node;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** One remote command: how it is written and how its answer is read, side by side. */
sealed interface Command<T>
        permits NodeCommand, DoctorCommand, ListCommand, LatestCommand, StatusCommand, SubmitCommand, CancelCommand, WithdrawCommand, FetchCommand, ReleaseCommand {
    int KIB = 1024;
    int MIB = 1024 * KIB;

    /** The verb and its words. */
    List<String> words();

    default List<byte[]> payload() {
        return List.of();
    }

    /** The longest body that an answer may have, in bytes. */
    default int limit() {
        return 64 * KIB;
    }

    /** @throws Lie when the body is not what the protocol says */
    T read(byte[] body);

    /** Bytes of the payload. */
    default long size() {
        return payload().stream().mapToLong(part -> part.length).sum();
    }

    /** {@code <tag> <epoch> <verb> [<word> …] <length>}, then the payload. */
    default void write(long tag, long epoch, OutputStream out) throws IOException {
        String line = "%d %d %s %d\n".formatted(tag, epoch, String.join(" ", words()), size());
        out.write(line.getBytes(StandardCharsets.US_ASCII));
        for (byte[] part : payload()) {
            out.write(part);
        }
    }
}
