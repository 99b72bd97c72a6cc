package gpuq.api;

import gpuq.auth.Users;
import gpuq.dispatch.Queue;
import io.helidon.openapi.OpenApiFeature;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.observe.ObserveFeature;
import io.helidon.webserver.observe.health.HealthObserver;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.time.Duration;
import jdk.net.ExtendedSocketOptions;

/**
 * The HTTP server. {@link #start} it once; to {@link #stop} it, first stop the {@link Queue}, which answers everybody who waits.
 */
public final class HttpServer {
    private static final int LARGEST_BACKLOG = 1024;

    private final Deadlines deadlines = new Deadlines();
    private final WebServer server;
    private final String address;

    public HttpServer(ApiSettings settings, Queue queue, Users users) {
        this(settings, services(settings, queue, new Access(users, settings.tokensRequired())));
    }

    /** @param services the resources under {@code /api} */
    HttpServer(ApiSettings settings, HttpService... services) {
        address = settings.host() + ":" + settings.port();
        server = WebServer.builder()
                .host(settings.host())
                .port(settings.port())
                .backlog(LARGEST_BACKLOG)
                .shutdownHook(false)
                .shutdownGracePeriod(settings.stopPatience())
                .idleConnectionTimeout(settings.idleLimit())
                .idleConnectionPeriod(period(settings.idleLimit()))
                .connectionOptions(options -> options.tcpNoDelay(true)
                        .socketKeepAlive(true)
                        .putSocketOption(ExtendedSocketOptions.TCP_KEEPIDLE, 60)
                        .putSocketOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, 15)
                        .putSocketOption(ExtendedSocketOptions.TCP_KEEPCOUNT, 4))
                .protocolsDiscoverServices(false)
                .addConnectionSelector(new ConnectionGuard(deadlines, settings))
                .directHandlers(ErrorAnswers.direct())
                .featuresDiscoverServices(false)
                .addFeature(OpenApiFeature.builder()
                        .servicesDiscoverServices(false)
                        .manager(new ApiDescription())
                        .build())
                .addFeature(ObserveFeature.builder()
                        .observersDiscoverServices(false)
                        .addObserver(HealthObserver.builder().endpoint("/health").details(true).build())
                        .build())
                .routing(routing -> route(routing, services))
                .build();
    }

    static HttpService[] services(ApiSettings settings, Queue queue, Access access) {
        ResultsAnswer answer = new ResultsAnswer(queue);
        return new HttpService[] {
            new SubmitService(settings, queue, access, answer),
            new StatusService(queue, access),
            new ResultsService(queue, access, answer),
            new CancelService(queue, access, settings.cancelPatience()),
            new NodesService(queue, access),
            new JobsService(queue, access),
        };
    }

    private static void route(HttpRouting.Builder routing, HttpService... services) {
        routing.addFilter(new HonestClose()).register("/api", services).register("/", new DocsService());
        ErrorAnswers.register(routing);
    }

    private static Duration period(Duration limit) {
        return limit.dividedBy(4).compareTo(Duration.ofSeconds(5)) < 0 ? limit.dividedBy(4) : Duration.ofSeconds(5);
    }

    /** @throws java.io.UncheckedIOException if the address is taken or not this machine's */
    public void start() {
        server.start();
        if (server.port() < 0) { // Helidon only logs that it could not listen
            String why = "cannot listen on %s: the port is taken, or the address is not this machine's".formatted(address);
            throw new UncheckedIOException(why, new BindException(why));
        }
    }

    /** The port that it listens on. */
    public int port() {
        return server.port();
    }

    /** Refuses new connections, lets answers out for as long as the settings allow, and ends what is left. */
    public void stop() {
        server.stop();
        deadlines.close();
    }
}
