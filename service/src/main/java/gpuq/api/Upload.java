package gpuq.api;

import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * The body of one submit: read whole, because both parts are needed at once, but never more of it than a form can have, never
 * longer than the deadline, and all uploads together within one budget of memory: a share is taken as bytes arrive, so who sends nothing takes
 * nothing. Closing it gives its share back.
 */
final class Upload implements AutoCloseable {
    /** What a form needs beside its two parts. */
    private static final int FRAMING = 16 << 10;

    private final Budget budget;
    private final int limit;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private boolean cut;

    private Upload(Budget budget, int limit) {
        this.budget = budget;
        this.limit = limit;
    }

    /** The largest form, in bytes. */
    static int limit(ApiSettings settings) {
        return settings.codeLimit() + ConfigFile.LIMIT + FRAMING;
    }

    /**
     * Reads the body, or as much of it as a form can have.
     *
     * @throws Problem 503 when too many uploads are under way
     * @throws CloseConnectionException when the client is gone or too slow
     */
    static Upload read(ServerRequest request, ApiSettings settings, Budget budget) {
        var upload = new Upload(budget, limit(settings));
        Connection connection = Connection.current();
        try (var deadline = connection.deadlines().start(settings.bodyDeadline())) {
            upload.fill(request.content().inputStream());
            return upload;
        } catch (Problem problem) {
            upload.close();
            throw problem;
        } catch (RuntimeException | IOException gone) {
            upload.close();
            throw new CloseConnectionException("no whole body came in time", gone);
        }
    }

    private void fill(InputStream in) throws IOException {
        var buffer = new byte[8192];
        for (int read; (read = in.read(buffer)) >= 0; ) {
            int kept = Math.min(read, limit - bytes.size());
            budget.take(kept);
            bytes.write(buffer, 0, kept);
            if (kept < read) {
                cut = true;
                return;
            }
        }
    }

    byte[] bytes() {
        return bytes.toByteArray();
    }

    /** Whether there was more than a form can have. */
    boolean cut() {
        return cut;
    }

    @Override
    public void close() {
        budget.give(bytes.size());
        bytes.reset();
    }
}
