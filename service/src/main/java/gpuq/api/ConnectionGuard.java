package gpuq.api;

import io.helidon.common.buffers.BufferData;
import io.helidon.http.DirectHandler.EventType;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.http.HttpPrologue;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionListener;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Stands at the door: wraps every connection in a {@link Connection}, gives a request's headers a deadline, and refuses a request
 * whose length can be read in two ways (RFC 9112, 6.3), which Helidon 4.1 takes.
 */
final class ConnectionGuard implements ServerConnectionSelector {
    private static final Pattern LENGTH = Pattern.compile("[0-9]{1,18}");

    private final Http1ConnectionSelector http1;
    private final Deadlines deadlines;
    private final ApiSettings settings;

    ConnectionGuard(Deadlines deadlines, ApiSettings settings) {
        this.deadlines = deadlines;
        this.settings = settings;
        this.http1 = Http1ConnectionSelector.builder()
                .config(Http1Config.builder().addReceiveListener(new Listener()).build())
                .build();
    }

    @Override
    public ServerConnection connection(ConnectionContext wire) {
        return http1.connection(new Connection(wire, deadlines, settings, Upload.limit(settings) + (64 << 10)));
    }

    @Override
    public int bytesToIdentifyConnection() {
        return http1.bytesToIdentifyConnection();
    }

    @Override
    public Support supports(BufferData data) {
        return http1.supports(data);
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
        return http1.supportedApplicationProtocols();
    }

    /** Called on the connection's thread: first line read, then headers read. Headers that cannot be read close the connection. */
    private final class Listener implements Http1ConnectionListener {
        private final ThreadLocal<Deadlines.@Nullable Deadline> running = new ThreadLocal<>();

        @Override
        public void prologue(ConnectionContext connection, HttpPrologue prologue) {
            running.set(deadlines.start(settings.headerDeadline()));
        }

        @Override
        public void headers(ConnectionContext connection, Headers headers) {
            try (var deadline = running.get()) {
                running.remove();
            }
            if (!lengthIsClear(headers)) {
                throw RequestException.builder()
                        .type(EventType.BAD_REQUEST)
                        .status(Status.BAD_REQUEST_400)
                        .setKeepAlive(false)
                        .safeMessage(true)
                        .message("Content-Length and Transfer-Encoding: the length of the body can be read in two ways")
                        .build();
            }
        }

        private boolean lengthIsClear(Headers headers) {
            List<String> lengths = headers.all(HeaderNames.CONTENT_LENGTH, List::of);
            List<String> encodings = headers.all(HeaderNames.TRANSFER_ENCODING, List::of);
            if (encodings.isEmpty()) {
                return lengths.isEmpty() || lengths.size() == 1 && LENGTH.matcher(lengths.getFirst()).matches();
            }
            return lengths.isEmpty() && encodings.size() == 1 && encodings.getFirst().equals("chunked");
        }
    }
}
