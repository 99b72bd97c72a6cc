package gpuq.db;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.helidon.dbclient.DbClient;
import io.helidon.dbclient.jdbc.JdbcClientBuilder;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.logging.Level;
import java.util.logging.Logger;

/** A few connections to one database, at READ COMMITTED: how they are made, and kept while they are good. Any thread may call. */
final class Connections implements AutoCloseable {

    /** How long making a connection may take, and how long to find out that a kept one is dead. */
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration PROBE = Duration.ofSeconds(2);

    /** These tell of every start and stop, and of what is thrown as well. Held here, since loggers are kept weakly. */
    private static final Logger POOL_LOG = Logger.getLogger("com.zaxxer.hikari");
    private static final Logger CLIENT_LOG = Logger.getLogger("io.helidon.dbclient.jdbc");

    private final HikariDataSource pool;

    private Connections(HikariDataSource pool) {
        this.pool = pool;
    }

    /**
     * Makes the first one at once.
     *
     * @param client who connects, as other clients of a shared database can tell
     * @param most how many there are at a time
     * @param silence how long an answer of a shared database may take; zero: as long as it likes
     * @throws DatabaseUnavailable if it cannot be made, with a sentence that says why
     */
    static Connections open(DatabaseSettings settings, String client, int most, Duration silence) {
        CLIENT_LOG.setLevel(Level.OFF);
        POOL_LOG.setLevel(Level.OFF);
        HikariConfig config = new HikariConfig();
        config.setPoolName("gpuq");
        config.setJdbcUrl(settings.url());
        config.setUsername(settings.username());
        config.setPassword(settings.password());
        config.setMaximumPoolSize(most);
        config.setAutoCommit(false);
        config.setConnectionTimeout(CONNECT.toMillis());
        config.setValidationTimeout(PROBE.toMillis());
        config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
        if (settings.url().startsWith("jdbc:mysql:")) {
            MysqlSession.configure(config, client, CONNECT, silence);
        }
        try {
            return new Connections(new HikariDataSource(config));
        } catch (RuntimeException e) {
            throw new DatabaseUnavailable(whyNotOpened(settings, e), e);
        }
    }

    private static String whyNotOpened(DatabaseSettings settings, RuntimeException thrown) {
        Throwable why = thrown;
        for (SQLException cause : Faults.causes(thrown)) {
            why = cause;
        }
        return "the database %s cannot be opened: %s".formatted(settings.place(), Faults.firstLine(why));
    }

    /** Made as these are, but only one, and not before it is used. To be closed by itself. */
    Connections another() {
        HikariConfig one = new HikariConfig();
        pool.copyStateTo(one);
        one.setMaximumPoolSize(1);
        one.setInitializationFailTimeout(-1);
        return new Connections(new HikariDataSource(one));
    }

    int most() {
        return pool.getMaximumPoolSize();
    }

    /** Takes one, to be given back by closing it. @throws DatabaseUnavailable if there is none in time */
    Connection take() {
        try {
            return pool.getConnection();
        } catch (SQLException e) {
            throw new DatabaseUnavailable("the database does not answer: " + Faults.firstLine(e), e);
        }
    }

    DbClient client() {
        return JdbcClientBuilder.create().connectionPool(this::take).build();
    }

    /** One of them failed, so all are suspect; new ones find the database as soon as it is back. */
    void replace() {
        if (!closed()) {
            pool.getHikariPoolMXBean().softEvictConnections();
        }
    }

    /** Has an embedded database let go of its file, once these are closed. */
    void shutDown() {
        try (Connection last = DriverManager.getConnection(pool.getJdbcUrl(), pool.getUsername(), pool.getPassword());
                Statement shutdown = last.createStatement()) {
            shutdown.execute("SHUTDOWN");
        } catch (SQLException e) {
            // It is closed already, or cannot be: every commit is on the disk either way.
        }
    }

    boolean closed() {
        return pool.isClosed();
    }

    @Override
    public void close() {
        pool.close();
    }
}
