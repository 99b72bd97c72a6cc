package gpuq.db;

import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The way to a database for whoever keeps the lease. To a shared one it is a connection of its own, which does not queue behind all others, and by which the
 * connections of a server that led before can be ended. An embedded database has one process, and its lane is that of all. Any thread may call.
 */
public final class Lane implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Lane.class.getName());

    private final Database database;
    private final boolean own;

    private Lane(Database database, boolean own) {
        this.database = database;
        this.own = own;
    }

    /** Nothing is connected before it is used. To be closed before {@code database} is. */
    public static Lane to(Database database) {
        return database.shared() ? new Lane(database.overAnotherConnection(), true) : new Lane(database, false);
    }

    /** The same database, over this lane. */
    public Database database() {
        return database;
    }

    /**
     * Ends the connections that another client of a shared database has left open, so that nothing it was writing is committed any more, or holds up others.
     *
     * @param other what it called itself when it opened the database
     */
    public void cutOff(String other) {
        List<Long> connections = database.query("""
                SELECT processlist_id AS id FROM performance_schema.session_account_connect_attrs
                WHERE attr_name = :name AND attr_value = :value""", Map.of("name", MysqlSession.CLIENT, "value", other), row -> row.whole("id"));
        connections.forEach(this::end);
    }

    private void end(long connection) {
        try {
            database.transaction(tx -> tx.update("KILL " + connection, Map.of()));
        } catch (RuntimeException gone) {
            LOG.log(Level.FINE, "connection {0} could not be ended: {1}", new Object[] {connection, gone.getMessage()});
        }
    }

    @Override
    public void close() {
        if (own) {
            database.close();
        }
    }
}
