package gpuq.node;

import java.util.List;
import java.util.Set;
import java.util.UUID;

/** A piece of a job's file; empty at its end. */
record FetchCommand(UUID job, int attempt, String file, long offset, int count) implements Command<byte[]> {

    FetchCommand {
        if (!Set.of("results", "stdout", "stderr", "solution").contains(file) || offset < 0 || count < 1 || count > MIB) {
            throw new IllegalArgumentException("cannot fetch %d bytes of '%s' from %d".formatted(count, file, offset));
        }
    }

    @Override
    public List<String> words() {
        return List.of("fetch", job.toString(), Integer.toString(attempt), file, Long.toString(offset), Integer.toString(count));
    }

    @Override
    public int limit() {
        return count;
    }

    @Override
    public byte[] read(byte[] body) {
        return body;
    }
}
