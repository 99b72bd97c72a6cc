package gpuq.auth;

import gpuq.audit.Audit;
import gpuq.db.Database;
import gpuq.db.Row;
import gpuq.db.Statements;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The table of users. Tokens are kept as SHA-256, compared in constant time, and never logged. A token is looked up by its hash, one row of an
 * index, so that a revoked one is refused at once. Any thread may call.
 *
 * <p>Every method throws {@link gpuq.db.DatabaseUnavailable} when the database does not answer.
 */
public final class Users {
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final String DEMONSTRATION = "sarang";
    private static final int TOKEN_BYTES = 32;

    /** Whose name the jobs carry that are submitted by hand on a node. */
    private static final String OPERATOR = "operator";

    private final Database database;
    private final Audit audit;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    public Users(Database database, Clock clock) {
        this.database = database;
        this.audit = new Audit(database, clock);
        this.clock = clock;
    }

    /** The user to whom this token belongs. */
    public Optional<User> authenticate(String token) {
        String sha256 = sha256(token);
        return database.find("""
                        SELECT t.sha256, u.user_id, u.admin FROM tokens t JOIN users u ON u.user_id = t.user_id
                        WHERE t.sha256 = :sha256 AND t.revoked_at IS NULL""", Map.of("sha256", sha256), Found::read)
                .filter(found -> MessageDigest.isEqual(bytes(found.sha256), bytes(sha256)))
                .map(Found::user);
    }

    /**
     * Makes a user with a new token of 256 random bits, or gives an existing one a further token; an existing user may become an administrator
     * by it, but does not cease to be one.
     *
     * @param by who does it, for the audit
     * @return the token: shown once, kept nowhere
     * @throws IllegalArgumentException if the id is none
     */
    public String add(String id, boolean admin, String by) {
        if (!ID.matcher(id).matches()) {
            throw new IllegalArgumentException("user id '%s': letters, digits, '.', '_' and '-' are allowed, 64 at most, the first a letter or digit"
                    .formatted(id.replaceAll("\\p{Cntrl}", "?")));
        }
        if (id.equals(OPERATOR)) {
            throw new IllegalArgumentException("user id '%s': it stands for jobs that are submitted by hand on a node".formatted(id));
        }
        byte[] secret = new byte[TOKEN_BYTES];
        random.nextBytes(secret);
        String token = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
        database.transaction(tx -> {
            insert(tx, id, admin, token);
            return audit.add(tx, by, "user add", id, admin ? "as an administrator" : "");
        });
        return token;
    }

    public List<User> list() {
        return database.query("SELECT user_id, admin FROM users ORDER BY user_id", Map.of(),
                row -> new User(row.text("user_id"), row.flag("admin")));
    }

    /** Revokes all tokens of a user. @param by who does it, for the audit @return whether there was one */
    public boolean revoke(String id, String by) {
        return database.transaction(tx -> {
            long revoked = tx.update("UPDATE tokens SET revoked_at = :now WHERE user_id = :id AND revoked_at IS NULL", Map.of("id", id, "now", now()));
            return revoked > 0 && 0 < audit.add(tx, by, "user revoke", id, "%d tokens".formatted(revoked));
        });
    }

    /** Makes the published demonstration user {@code sarang} with the token {@code sarang}. */
    public void addDemonstrationUser() {
        database.transaction(tx -> insert(tx, DEMONSTRATION, false, DEMONSTRATION));
    }

    /** Whether the demonstration user's published token is valid here: production refuses to start with it. */
    public boolean hasDemonstrationUser() {
        return authenticate(DEMONSTRATION).isPresent();
    }

    private long insert(Statements tx, String id, boolean admin, String token) {
        tx.update("""
                INSERT INTO users (user_id, admin, created_at) VALUES (:id, :admin, :now)
                ON DUPLICATE KEY UPDATE admin = GREATEST(admin, VALUES(admin))""", Map.of("id", id, "admin", admin ? 1 : 0, "now", now()));
        return tx.update("""
                INSERT INTO tokens (sha256, user_id, created_at, revoked_at) VALUES (:sha256, :id, :now, NULL)
                ON DUPLICATE KEY UPDATE revoked_at = NULL""", Map.of("sha256", sha256(token), "id", id, "now", now()));
    }

    private long now() {
        return Row.micros(clock.instant());
    }

    private static String sha256(String token) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes(token)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private record Found(String sha256, User user) {
        static Found read(Row row) {
            return new Found(row.text("sha256"), new User(row.text("user_id"), row.flag("admin")));
        }
    }
}
