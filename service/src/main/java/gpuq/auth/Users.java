package gpuq.auth;

import gpuq.db.Database;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/** The table of users. Tokens are kept as SHA-256, compared in constant time, and never logged. */
public final class Users {

    public Users(Database database, Clock clock) {}

    /** The user to whom this token belongs. */
    public Optional<User> authenticate(String token) {
        throw new UnsupportedOperationException();
    }

    /** Makes a user with a new token of 128 random bits or more, or gives an existing one a further token. @return the token: shown once, kept nowhere */
    public String add(String id, boolean admin) {
        throw new UnsupportedOperationException();
    }

    public List<User> list() {
        throw new UnsupportedOperationException();
    }

    /** Revokes all tokens of a user. @return whether there was one */
    public boolean revoke(String id) {
        throw new UnsupportedOperationException();
    }

    /** Makes the published demonstration user {@code sarang} with the token {@code sarang}. */
    public void addDemonstrationUser() {
        throw new UnsupportedOperationException();
    }

    /** Whether the demonstration user's published token is valid here: production refuses to start with it. */
    public boolean hasDemonstrationUser() {
        throw new UnsupportedOperationException();
    }
}
