package gpuq.api;

import gpuq.db.DatabaseUnavailable;
import gpuq.dispatch.Queue;
import gpuq.job.Job;
import gpuq.results.Results;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code POST /api/submit}: takes a solution, and with {@code wait=true} answers when it is graded. */
final class SubmitService implements HttpService {
    private static final Logger LOG = System.getLogger(SubmitService.class.getName());
    private static final int UPLOADS_AT_ONCE_BYTES = 64 << 20;

    private final ApiSettings settings;
    private final Queue queue;
    private final Access access;
    private final Patience patience;
    private final Budget uploads;
    private final ResultsAnswer answer;

    SubmitService(ApiSettings settings, Queue queue, Access access, ResultsAnswer answer) {
        this.settings = settings;
        this.queue = queue;
        this.access = access;
        this.patience = new Patience(queue, settings.waitLimit());
        this.uploads = new Budget(Math.max(UPLOADS_AT_ONCE_BYTES, 2 * Upload.limit(settings)), "too many uploads at once; nothing was accepted");
        this.answer = answer;
    }

    @Override
    public void routing(HttpRules rules) {
        Resource.post(rules, "/submit", this::submit);
    }

    private void submit(ServerRequest request, ServerResponse response) {
        Promise promise = accept(request); // nothing of the form is held while the client waits
        if (!promise.waiting()) {
            Json.send(request, response, Status.OK_200, Accepted.of(promise.job()));
            return;
        }
        response.header(HeaderValues.CONNECTION_CLOSE);
        answer(request, response, patience.untilEnd(promise.job()));
    }

    /** From here on the client is told of its job, whatever fails: it knows no id yet, and would submit again. */
    private void answer(ServerRequest request, ServerResponse response, Patience.Waited waited) {
        Job job = waited.job();
        if (!job.ended()) {
            String why = waited.over() ? "Timeout after %ds. Job still running".formatted(settings.waitLimit().toSeconds()) : "This server stops. Job still running";
            Json.send(request, response, Status.OK_200, Later.of(job, why));
            return;
        }
        try {
            answer.send(request, response, job, results -> Done.of(job, results));
        } catch (DatabaseUnavailable | UncheckedIOException | Problem notNow) {
            LOG.log(Level.WARNING, "the results of job {0} cannot be read now: {1}", job.id(), notNow.getMessage());
            Json.send(request, response, Status.OK_200, Later.of(job, "The results cannot be read now"));
        }
    }

    private Promise accept(ServerRequest request) {
        var faults = new Faults();
        String boundary = SubmitForm.boundary(request);
        boolean waiting = new Query(request, faults, Set.of("wait"))
                .value("wait", SubmitService::bool, "must be true or false")
                .orElse(true);
        Optional<String> key = SubmitForm.key(request, faults);
        try (Upload upload = Upload.read(request, settings, uploads)) {
            SubmitForm form = SubmitForm.read(upload, boundary, key, settings, faults);
            access.submitter(form.form().submission().userId(), form.token());
            return new Promise(queue.submit(form.form()), waiting);
        }
    }

    private static Optional<Boolean> bool(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "1" -> Optional.of(true);
            case "false", "0" -> Optional.of(false);
            default -> Optional.empty();
        };
    }

    /** A job that is committed, and whether its client waits for the end. */
    private record Promise(Job job, boolean waiting) {}

    /** The answer at once. */
    record Accepted(String jobId, @Nullable Integer nodeId, String status, String message, String createdAt) {
        static Accepted of(Job job) {
            var facts = new Facts(job);
            return new Accepted(
                    facts.id(),
                    facts.node(),
                    facts.status(),
                    "Job submitted successfully. Use /api/status/{job_id} to check progress.",
                    facts.createdAt());
        }
    }

    /** The answer at the job's end, whatever the end was. */
    record Done(
            String jobId,
            @Nullable Integer nodeId,
            String status,
            String stdout,
            String stderr,
            @Nullable Integer exitCode,
            @Nullable String startedAt,
            @Nullable String completedAt) {
        static Done of(Job job, Results results) {
            var facts = new Facts(job);
            return new Done(
                    facts.id(),
                    facts.node(),
                    facts.status(),
                    results.document(),
                    results.stderr(),
                    facts.exitCode(),
                    facts.startedAt(),
                    facts.completedAt());
        }
    }

    /** The answer when the wait is over and the job is not, when the server is told to stop, or when results cannot be read. */
    record Later(String jobId, @Nullable Integer nodeId, String status, String message) {
        static Later of(Job job, String why) {
            var facts = new Facts(job);
            return new Later(facts.id(), facts.node(), facts.status(), why + ". Use /api/results/{job_id} to check later.");
        }
    }
}
