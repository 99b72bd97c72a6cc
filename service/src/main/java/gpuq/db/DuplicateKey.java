package gpuq.db;

/** A row with this key is there already, or refers to one that is not: nothing was written. */
public final class DuplicateKey extends DatabaseException {
    DuplicateKey(Throwable cause) {
        super("a constraint of the database refused the row: " + cause.getMessage(), cause);
    }
}
