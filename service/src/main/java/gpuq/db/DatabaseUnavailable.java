package gpuq.db;

/** The database cannot be reached, is read-only or has no room. What was being committed may or may not be; ask again later. */
public final class DatabaseUnavailable extends DatabaseException {
    public DatabaseUnavailable(String message, Throwable cause) {
        super(message, cause);
    }
}
