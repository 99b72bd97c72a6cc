package gpuq.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import gpuq.db.DatabaseUnavailable;
import gpuq.db.NotLeading;
import gpuq.dispatch.Refused;
import io.helidon.http.HttpException;
import io.helidon.http.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A request that gets no other answer than a problem document (RFC 9457). All errors of the API are made here. */
final class Problem extends RuntimeException {
    private static final String DATABASE_AWAY = "the database does not answer, and what was asked may or may not have been done; "
            + "ask again later, and send a submit again with the same Idempotency-Key";

    private static final Duration ANOTHER_LEADS = Duration.ofSeconds(2);

    private final transient Status status;
    private final transient List<Fault> faults;
    private final transient Map<String, String> headers;

    private Problem(Status status, String detail, List<Fault> faults, Map<String, String> headers) {
        super(detail, null, false, false);
        this.status = status;
        this.faults = List.copyOf(faults);
        this.headers = headers;
    }

    private Problem(Status status, String detail) {
        this(status, detail, List.of(), Map.of());
    }

    private Problem(Status status, List<Fault> faults) {
        this(status, faults.stream().map(Fault::sentence).collect(Collectors.joining("; ")), faults, Map.of());
    }

    static Problem badRequest(List<Fault> faults) {
        return new Problem(Status.BAD_REQUEST_400, faults);
    }

    static Problem badRequest(String field, String rule) {
        return badRequest(List.of(new Fault(field, rule)));
    }

    static Problem unauthorized(String detail) {
        return new Problem(Status.UNAUTHORIZED_401, detail, List.of(), Map.of("WWW-Authenticate", "Bearer realm=\"gpuq\""));
    }

    static Problem forbidden(String detail) {
        return new Problem(Status.FORBIDDEN_403, detail);
    }

    static Problem notFound(String detail) {
        return new Problem(Status.NOT_FOUND_404, detail);
    }

    static Problem methodNotAllowed(String method, String allow) {
        String detail = "%s is not allowed here; allowed: %s".formatted(Faults.shown(method), allow);
        return new Problem(Status.METHOD_NOT_ALLOWED_405, detail, List.of(), Map.of("Allow", allow));
    }

    static Problem conflict(String detail) {
        return new Problem(Status.CONFLICT_409, detail);
    }

    static Problem tooLarge(String field, String rule) {
        return new Problem(Status.REQUEST_ENTITY_TOO_LARGE_413, List.of(new Fault(field, rule)));
    }

    static Problem unsupportedMediaType(String detail) {
        return new Problem(Status.UNSUPPORTED_MEDIA_TYPE_415, detail);
    }

    static Problem unavailable(String detail, Duration retryAfter) {
        long seconds = Math.max(1, retryAfter.plusMillis(999).toSeconds());
        return new Problem(Status.SERVICE_UNAVAILABLE_503, detail, List.of(), Map.of("Retry-After", Long.toString(seconds)));
    }

    /** What a client is told of anything that was thrown: never more than a stranger may know. */
    static Problem of(Throwable thrown) {
        return switch (thrown) {
            case Problem problem -> problem;
            case Refused.UnknownNode refused -> badRequest(List.of(Fault.of(refused.getMessage())));
            case Refused.UnknownCompetition refused -> badRequest(List.of(Fault.of(refused.getMessage())));
            case Refused.TooManyGpus refused -> badRequest(List.of(Fault.of(refused.getMessage())));
            case Refused.KeyReused refused -> new Problem(Status.UNPROCESSABLE_CONTENT_422, List.of(Fault.of(refused.getMessage())));
            case Refused.NodeAnswers refused -> conflict(refused.getMessage());
            case Refused.NodeSilent refused -> unavailable(refused.getMessage(), Duration.ofSeconds(15));
            case Refused.NotLeading refused -> unavailable(refused.getMessage(), ANOTHER_LEADS);
            case NotLeading over -> unavailable("another server has begun to lead this queue, and nothing was done; send it again in a moment", ANOTHER_LEADS);
            case Refused.NoActiveNode refused -> unavailable(refused.getMessage(), refused.retryAfter());
            case HttpException answer when answer.status().code() == 404 -> notFound("there is nothing at this path");
            case HttpException answer when answer.status().code() < 500 -> ofStatus(answer.status());
            case DatabaseUnavailable away -> unavailable(away.inDoubt() ? DATABASE_AWAY : away.getMessage(), Duration.ofSeconds(5));
            default -> ofStatus(Status.INTERNAL_SERVER_ERROR_500);
        };
    }

    /** A request that could not be understood well enough to reach a resource. */
    static Problem ofStatus(Status status) {
        return new Problem(status, switch (status.code()) {
            case 413 -> "the body is too large";
            case 414 -> "the first line of the request is too long";
            case 503 -> "the server has too much to do; send the request again later";
            case 500 -> "the server made a mistake; its log says more";
            default -> "this is not a request that HTTP/1.1 allows";
        });
    }

    /** A request that was malformed in a way that may be told. */
    static Problem malformed(String sentence) {
        return badRequest(List.of(Fault.of(sentence)));
    }

    Status status() {
        return status;
    }

    Map<String, String> headers() {
        return headers;
    }

    Body body() {
        return new Body("about:blank", status.reasonPhrase(), status.code(), getMessage(), getMessage(), faults);
    }

    /**
     * The document. {@code message} repeats {@code detail} because the published client prints it.
     *
     * @param errors all faults of the request, when it had such
     */
    @JsonInclude(Include.NON_EMPTY)
    record Body(String type, String title, int status, String detail, String message, List<Fault> errors) {}
}
