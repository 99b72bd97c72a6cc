package gpuq.db;

import org.jspecify.annotations.Nullable;

/** The database cannot be reached, is read-only, busy or has no room; ask again later. */
public final class DatabaseUnavailable extends DatabaseException {
    private final boolean inDoubt;

    /** What was being committed may or may not be. */
    public DatabaseUnavailable(String message, @Nullable Throwable cause) {
        this(message, cause, true);
    }

    private DatabaseUnavailable(String message, @Nullable Throwable cause, boolean inDoubt) {
        super(message, cause);
        this.inDoubt = inDoubt;
    }

    /** Nothing was begun. */
    static DatabaseUnavailable busy(String message) {
        return new DatabaseUnavailable(message, null, false);
    }

    /** Whether what was asked may have been done all the same. */
    public boolean inDoubt() {
        return inDoubt;
    }
}
