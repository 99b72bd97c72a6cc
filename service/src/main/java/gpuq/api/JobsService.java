package gpuq.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import gpuq.auth.User;
import gpuq.dispatch.Queue;
import gpuq.job.Job;
import gpuq.job.JobFilter;
import gpuq.job.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code GET /api/jobs}: recent jobs, newest first, page by page. */
final class JobsService implements HttpService {
    private static final int DEFAULT_LIMIT = 100;
    private static final int MOST = 1000;
    private static final Pattern USER = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,3}");

    private final Queue queue;
    private final Access access;

    JobsService(Queue queue, Access access) {
        this.queue = queue;
        this.access = access;
    }

    @Override
    public void routing(HttpRules rules) {
        Resource.get(rules, "/jobs", this::list);
    }

    private void list(ServerRequest request, ServerResponse response) {
        Optional<User> reader = access.reader(request);
        JobFilter filter = own(reader, filter(request));
        Json.send(request, response, io.helidon.http.Status.OK_200, Page.of(queue.list(filter), filter));
    }

    private static JobFilter filter(ServerRequest request) {
        var faults = new Faults();
        var query = new Query(request, faults, Set.of("user_id", "status", "limit", "cursor"));
        var filter = new JobFilter(
                query.value("user_id", JobsService::user, "must be a user id"),
                query.value("status", Status::of, "must be pending, running, completed, failed or cancelled"),
                query.value("limit", JobsService::limit, "must be a whole number from 1 to " + MOST).orElse(DEFAULT_LIMIT),
                query.value("cursor", Cursor::read, "must be the next_cursor of an earlier answer"));
        faults.refuse();
        return filter;
    }

    /** Where reading needs a token, everybody but an administrator sees their own jobs. */
    private static JobFilter own(Optional<User> reader, JobFilter filter) {
        if (reader.isEmpty() || reader.get().admin()) {
            return filter;
        }
        String self = reader.get().id();
        if (!filter.userId().orElse(self).equals(self)) {
            throw Problem.forbidden("user_id: these jobs belong to somebody else");
        }
        return new JobFilter(Optional.of(self), filter.status(), filter.limit(), filter.before());
    }

    private static Optional<String> user(String text) {
        return Optional.of(text).filter(USER.asMatchPredicate());
    }

    private static Optional<Integer> limit(String text) {
        return Optional.of(text).filter(NUMBER.asMatchPredicate()).map(Integer::valueOf).filter(limit -> limit <= MOST);
    }

    /** @param nextCursor where the next page begins; absent when there is certainly none */
    record Page(List<Entry> jobs, @JsonInclude(Include.NON_NULL) @Nullable String nextCursor) {
        static Page of(List<Job> jobs, JobFilter filter) {
            String next = jobs.size() < filter.limit() ? null : Cursor.text(jobs.getLast());
            return new Page(jobs.stream().map(Entry::of).toList(), next);
        }
    }

    record Entry(
            String jobId,
            String userId,
            String status,
            @Nullable Integer nodeId,
            String createdAt,
            @Nullable String completedAt,
            @Nullable String competitionId) {

        static Entry of(Job job) {
            var facts = new Facts(job);
            return new Entry(
                    facts.id(), job.submission().userId(), facts.status(), facts.node(), facts.createdAt(), facts.completedAt(),
                    job.submission().competitionId().orElse(null));
        }
    }
}
