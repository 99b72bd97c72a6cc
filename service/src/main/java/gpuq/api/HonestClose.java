package gpuq.api;

import io.helidon.http.HeaderValues;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.time.Duration;
import java.util.regex.Pattern;

/**
 * Closes a connection that was announced to close, which Helidon 4.1 does not, and never reads a body that nobody asked for to
 * its end, which Helidon does. The close lingers: closing a socket with unread bytes makes the client's system drop the answer.
 */
final class HonestClose implements Filter {
    /** The paths that Helidon answers. Our own resources may wait and use the database: they guard their answers alone. */
    private static final Pattern NOT_OURS = Pattern.compile("/(docs|openapi|health)(/.*)?", Pattern.DOTALL);

    private static final Duration LINGER = Duration.ofSeconds(2);
    private static final long LINGER_BYTES = 32 << 20;

    @Override
    public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        Connection connection = Connection.current();
        if (NOT_OURS.matcher(request.path().path()).matches()) {
            if (!request.content().consumed()) {
                response.header(HeaderValues.CONNECTION_CLOSE);
            }
            try (var deadline = connection.deadlines().start(connection.settings().answerDeadline())) {
                chain.proceed();
            }
        } else {
            chain.proceed();
        }
        boolean unread = !request.content().consumed();
        if (unread) {
            try (var deadline = connection.deadlines().start(linger(connection.settings().answerDeadline()))) {
                connection.drain(LINGER_BYTES, deadline);
            }
        }
        if (unread
                || response.headers().contains(HeaderValues.CONNECTION_CLOSE)
                || request.headers().contains(HeaderValues.CONNECTION_CLOSE)) {
            throw new CloseConnectionException("announced");
        }
    }

    private static Duration linger(Duration answerDeadline) {
        return answerDeadline.compareTo(LINGER) < 0 ? answerDeadline : LINGER;
    }
}
