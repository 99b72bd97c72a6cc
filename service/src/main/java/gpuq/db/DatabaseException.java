package gpuq.db;

/** What a store may have to tell its callers of the database. Anything else that goes wrong there is a bug and stays what it is. */
public abstract sealed class DatabaseException extends RuntimeException
        permits DatabaseUnavailable, DuplicateKey, SchemaRefused {

    DatabaseException(String message, Throwable cause) {
        super(message, cause);
    }
}
