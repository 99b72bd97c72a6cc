package gpuq.api;

import gpuq.auth.User;
import gpuq.auth.Users;
import gpuq.job.Job;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Who may do what. Reading is open, and a token sent with it is ignored, unless the settings ask for tokens everywhere. */
final class Access {
    private static final Pattern BEARER = Pattern.compile("(?i:bearer) +([!-~]{1,512}) *");

    private final Users users;
    private final boolean tokensRequired;

    Access(Users users, boolean tokensRequired) {
        this.users = users;
        this.tokensRequired = tokensRequired;
    }

    /** Who reads; nobody in particular where reading is open. */
    Optional<User> reader(ServerRequest request) {
        return tokensRequired ? Optional.of(bearer(request)) : Optional.empty();
    }

    /** @throws Problem 403 if it is somebody else's job, and not everybody may see it */
    void mayRead(Optional<User> reader, Job job) {
        reader.ifPresent(user -> mayChange(user, job));
    }

    /** @throws Problem 403 if it is somebody else's job */
    void mayChange(User user, Job job) {
        if (!user.admin() && !user.id().equals(job.submission().userId())) {
            throw Problem.forbidden("the job belongs to somebody else");
        }
    }

    /** @throws Problem 401 without a valid {@code Authorization: Bearer} */
    User bearer(ServerRequest request) {
        List<String> sent = request.headers().all(HeaderNames.AUTHORIZATION, List::of);
        if (sent.isEmpty()) {
            throw Problem.unauthorized("Authorization: this needs the header 'Authorization: Bearer YOUR_TOKEN'");
        }
        Matcher bearer = BEARER.matcher(sent.getFirst());
        if (sent.size() > 1 || !bearer.matches()) {
            throw Problem.unauthorized("Authorization: must be one header of the form 'Bearer YOUR_TOKEN'");
        }
        return users.authenticate(bearer.group(1))
                .orElseThrow(() -> Problem.unauthorized("Authorization: the token is not valid"));
    }

    /** @throws Problem 401 without a valid token, 403 if it is not an administrator's */
    User administrator(ServerRequest request) {
        User user = bearer(request);
        if (!user.admin()) {
            throw Problem.forbidden("this needs the token of an administrator");
        }
        return user;
    }

    /** @throws Problem 401 if the token is unknown or another user's: the same words for both */
    void submitter(String userId, String token) {
        users.authenticate(token)
                .filter(user -> user.id().equals(userId))
                .orElseThrow(() -> Problem.unauthorized("token: must be a valid token of the user named in user_id"));
    }
}
