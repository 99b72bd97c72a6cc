package gpuq.db;

import org.jspecify.annotations.Nullable;

/** What a store may have to tell its callers of the database. Anything else that goes wrong there is a bug and stays what it is. */
public abstract sealed class DatabaseException extends RuntimeException
        permits DatabaseUnavailable, DuplicateKey, NotLeading, SchemaRefused {

    DatabaseException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
