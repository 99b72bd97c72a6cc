package gpuq.db;

import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTransientException;
import java.util.Set;
import java.util.stream.Stream;

/** Tells from what a driver threw what it means here. Classes and SQL states first: vendors' codes differ. */
final class Faults {

    /** H2 {@code 9xxxx}: input or output failed, closed, closing, connection broken, no longer there. MySQL: full, read-only. */
    private static final Set<Integer> AWAY = Set.of(90028, 90031, 90067, 90098, 90121, 90146, 1021, 1114, 1290, 1792, 1836);

    private Faults() {}

    /** The failure to throw instead of {@code thrown}: one of ours, or {@code thrown} itself. */
    static RuntimeException of(RuntimeException thrown) {
        if (thrown instanceof DatabaseException) {
            return thrown;
        }
        for (SQLException cause : causes(thrown)) {
            if (cause instanceof SQLIntegrityConstraintViolationException) {
                return new DuplicateKey(cause);
            }
            if (away(cause)) {
                return new DatabaseUnavailable("the database does not answer: " + firstLine(cause), thrown);
            }
        }
        return thrown;
    }

    private static boolean away(SQLException e) {
        String state = String.valueOf(e.getSQLState());
        return e instanceof SQLTransientException
                || e instanceof SQLNonTransientConnectionException
                || state.startsWith("08")
                || AWAY.contains(e.getErrorCode())
                || e.getCause() instanceof org.h2.mvstore.MVStoreException;
    }

    static Iterable<SQLException> causes(Throwable thrown) {
        return Stream.iterate(thrown, t -> t != null, Throwable::getCause)
                .filter(SQLException.class::isInstance).map(SQLException.class::cast)::iterator;
    }

    /** H2 puts the whole statement behind the first line, and what a user sent with it. */
    static String firstLine(Throwable e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("").replaceFirst("; SQL statement:$", "");
    }
}
