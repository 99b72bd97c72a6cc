package gpuq.db;

import java.sql.SQLException;
import java.sql.SQLIntegrityConstraintViolationException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTransientException;
import java.util.Set;
import java.util.stream.Stream;

/** Tells from what a driver threw what it means here. Classes and SQL states first: vendors' codes differ. */
final class Faults {

    /**
     * H2 {@code 9xxxx}: input or output failed, closed, closing, connection broken, no longer there. MySQL: its disk is full or fails; it is read-only;
     * too many connections; the connection was killed, or silent for too long; its replication refuses the commit.
     */
    private static final Set<Integer> AWAY = Set.of(90028, 90031, 90067, 90098, 90121, 90146,
            1021, 1030, 1114, 1290, 1792, 1836, 1874, 1203, 1226, 1317, 4031, 3100);

    /** What waited too long for a row that another one holds: on H2, on MySQL. A deadlock has a state of its own. */
    private static final Set<Integer> LOCK_TIMEOUT = Set.of(50200, 1205);

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

    /** Whether the database undid it, or one statement of it, for the sake of others, and it may be done again as a whole. */
    static boolean undone(RuntimeException thrown) {
        for (SQLException cause : causes(thrown)) {
            if ("40001".equals(cause.getSQLState()) || LOCK_TIMEOUT.contains(cause.getErrorCode())) {
                return true;
            }
        }
        return false;
    }

    /** Whether a column was to be added that the table has. */
    static boolean columnIsThere(RuntimeException thrown) {
        for (SQLException cause : causes(thrown)) {
            if ("42S21".equals(cause.getSQLState())) {
                return true;
            }
        }
        return false;
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
