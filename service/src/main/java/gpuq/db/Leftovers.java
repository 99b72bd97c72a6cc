package gpuq.db;

import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.SQLException;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;
import org.h2.mvstore.tx.Transaction;
import org.h2.mvstore.tx.TransactionStore;

/**
 * Ends what a kill has left half committed in an embedded database. H2 2.5.252 finds such transactions at its start and passes them over: its
 * {@code Transaction.commit} does nothing for what is committed already. Their rows stay locked, and whoever changes one turns in a circle for ever.
 * What H2 passes over is done here, by the methods that it would have called.
 */
final class Leftovers {
    private Leftovers() {}

    /** @param connection the first one, before anybody writes */
    static void end(Connection connection) throws SQLException {
        SessionLocal session = (SessionLocal) connection.unwrap(JdbcConnection.class).getSession();
        TransactionStore store = session.getDatabase().getStore().getTransactionStore();
        for (Transaction left : store.getOpenTransactions()) {
            if (left.getStatus() == Transaction.STATUS_COMMITTED) {
                end(store, left);
            }
        }
    }

    private static void end(TransactionStore store, Transaction left) {
        try {
            Method commit = TransactionStore.class.getDeclaredMethod("commit", Transaction.class, boolean.class);
            Method close = Transaction.class.getDeclaredMethod("close", boolean.class, Throwable.class);
            commit.setAccessible(true);
            close.setAccessible(true);
            commit.invoke(store, left, true);
            close.invoke(left, true, null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("H2 is another version than the one whose half commits gpuq can end", e);
        }
    }
}
