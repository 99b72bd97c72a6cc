package gpuq.db;

/** The database's schema is not one that this version of gpuq made or can bring up to date. */
public final class SchemaRefused extends DatabaseException {
    SchemaRefused(String message) {
        super(message, null);
    }
}
