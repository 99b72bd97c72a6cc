package gpuq.db;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.helidon.dbclient.DbClient;
import io.helidon.dbclient.DbTransaction;
import io.helidon.dbclient.jdbc.JdbcClientBuilder;
import io.helidon.dbclient.jdbc.JdbcConnectionPool;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Helidon's DbClient with transactions that cannot leak, over H2 or MySQL, at READ COMMITTED. Any thread may call; a call
 * waits for one of a few connections, in the order of asking, at most {@code PATIENCE}.
 *
 * <p>Every method throws {@link DatabaseUnavailable} when the database does not answer and {@link DuplicateKey} when it refuses a row.
 */
public final class Database implements AutoCloseable {

    /** How long a call waits for its turn before the database counts as unavailable. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    /** How long making a connection may take, and how long to find out that a kept one is dead. */
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration PROBE = Duration.ofSeconds(2);

    /** How often a transaction is tried that the database undoes for the sake of others. */
    private static final int TRIES = 5;

    /** These tell of every start and stop, and of what is thrown as well. Held here, since loggers are kept weakly. */
    private static final Logger POOL_LOG = Logger.getLogger("com.zaxxer.hikari");
    private static final Logger CUT_OFF_LOG = Logger.getLogger(Database.class.getName());
    private static final Logger CLIENT_LOG = Logger.getLogger("io.helidon.dbclient.jdbc");

    private final HikariDataSource pool;
    private final DbClient client;
    private final Optional<EmbeddedFile> embedded;

    /** First come, first served: the pool hands connections to whoever happens to ask, and lets some of a thousand wait for seconds. */
    private final Semaphore turns;

    private final Fence fence;

    private Database(HikariDataSource pool, Optional<EmbeddedFile> embedded) {
        this(pool, JdbcClientBuilder.create().connectionPool(connections(pool)).build(), embedded,
                new Semaphore(pool.getMaximumPoolSize(), true), anybody -> { });
    }

    private Database(HikariDataSource pool, DbClient client, Optional<EmbeddedFile> embedded, Semaphore turns, Fence fence) {
        this.pool = pool;
        this.client = client;
        this.embedded = embedded;
        this.turns = turns;
        this.fence = fence;
    }

    /**
     * Connects and brings the schema up to date.
     *
     * @param client who connects: {@link #cutOff} knows its connections by it
     * @throws DatabaseUnavailable if it cannot be opened, with a sentence that says why
     * @throws SchemaRefused if it holds what this version does not know
     */
    public static Database open(DatabaseSettings settings, String client) {
        Optional<EmbeddedFile> embedded = EmbeddedFile.is(settings.url()) ? Optional.of(EmbeddedFile.open(settings.url())) : Optional.empty();
        Database database;
        try {
            database = new Database(connect(settings, client, settings.connections(), MysqlSession.SILENCE), embedded);
        } catch (RuntimeException e) {
            embedded.ifPresent(EmbeddedFile::close);
            throw e;
        }
        try {
            if (embedded.isPresent()) {
                database.endLeftovers();
            }
            migrate(settings, client);
        } catch (RuntimeException e) {
            database.close();
            throw e;
        }
        embedded.ifPresent(EmbeddedFile::syncNames);
        return database;
    }

    /** Over a connection of its own: to change a large table may take longer than an answer otherwise does. */
    private static void migrate(DatabaseSettings settings, String client) {
        try (HikariDataSource pool = connect(settings, client, 1, Duration.ZERO)) {
            new Migrations().apply(new Database(pool, Optional.empty()), Clock.systemUTC());
        }
    }

    private static HikariDataSource connect(DatabaseSettings settings, String client, int connections, Duration silence) {
        CLIENT_LOG.setLevel(Level.OFF);
        POOL_LOG.setLevel(Level.OFF);
        HikariConfig config = new HikariConfig();
        config.setPoolName("gpuq");
        config.setJdbcUrl(settings.url());
        config.setUsername(settings.username());
        config.setPassword(settings.password());
        config.setMaximumPoolSize(connections);
        config.setAutoCommit(false);
        config.setConnectionTimeout(CONNECT.toMillis());
        config.setValidationTimeout(PROBE.toMillis());
        config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
        if (settings.url().startsWith("jdbc:mysql:")) {
            MysqlSession.configure(config, client, CONNECT, silence);
        }
        try {
            return new HikariDataSource(config);
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

    private void endLeftovers() {
        try (Connection first = pool.getConnection()) {
            Leftovers.end(first);
        } catch (SQLException e) {
            throw new DatabaseUnavailable("the database does not answer: " + Faults.firstLine(e), e);
        }
    }

    private static JdbcConnectionPool connections(HikariDataSource pool) {
        return () -> {
            try {
                return pool.getConnection();
            } catch (SQLException e) {
                throw new DatabaseUnavailable("the database does not answer: " + Faults.firstLine(e), e);
            }
        };
    }

    /** {@link #open(DatabaseSettings, String)} for one who holds no lease. */
    public static Database open(DatabaseSettings settings) {
        return open(settings, "nobody");
    }

    /** The same database, with a fence around what is written through it. To close one is to close both. */
    public Database fencedBy(Fence guard) {
        return new Database(pool, client, embedded, turns, guard);
    }

    /** How many scripts have made the schema what it is. */
    public int schemaVersion() {
        return query("SELECT MAX(version) AS version FROM schema_version", Map.of(), row -> row.number("version")).getFirst();
    }

    /** The same database over one connection of its own, where it is shared: for who must not queue behind all others. To be closed by itself. */
    public Database lane() {
        if (!shared()) {
            return this;
        }
        HikariConfig one = new HikariConfig();
        pool.copyStateTo(one);
        one.setMaximumPoolSize(1);
        one.setInitializationFailTimeout(-1); // whether the database is there is found out when it is used
        return new Database(new HikariDataSource(one), Optional.empty());
    }

    /** Whether other processes may use it at the same time. */
    public boolean shared() {
        return embedded.isEmpty();
    }

    /** Ends the connections that another client of a shared database has left open, so that nothing it was writing is committed any more, or holds up others. */
    public void cutOff(String other) {
        List<Long> connections = query("""
                SELECT processlist_id AS id FROM performance_schema.session_account_connect_attrs
                WHERE attr_name = :name AND attr_value = :value""", Map.of("name", MysqlSession.CLIENT, "value", other), row -> row.whole("id"));
        connections.forEach(this::end);
    }

    private void end(long connection) {
        try {
            transaction(tx -> tx.update("KILL " + connection, Map.of()));
        } catch (RuntimeException gone) {
            CUT_OFF_LOG.log(Level.FINE, "connection {0} could not be ended: {1}", new Object[] {connection, gone.getMessage()});
        }
    }

    /**
     * Runs {@code work} in one transaction: commits when it returns, rolls back when it throws. Within {@code work} only its argument
     * speaks to the transaction; it runs again when the database undoes it for the sake of others, so it must change nothing else.
     *
     * <p>{@link DatabaseUnavailable} leaves open whether it was committed: the answer may have been lost. Such a commit is never repeated here.
     *
     * <p>There is no other way to the database: outside a transaction, DbClient 4.1 leaks the connection of a statement that cannot be prepared.
     */
    public <T extends @Nullable Object> T transaction(Function<Statements, T> work) {
        return inTurn(tx -> {
            T result = work.apply(tx);
            fence.check(tx);
            return result;
        });
    }

    private <T extends @Nullable Object> T inTurn(Function<Statements, T> work) {
        awaitTurn();
        try {
            return untilNotUndone(work);
        } catch (RuntimeException e) {
            RuntimeException fault = Faults.of(e);
            if (fault instanceof DatabaseUnavailable && !pool.isClosed()) {
                pool.getHikariPoolMXBean().softEvictConnections(); // all of them are suspect; new ones find the database as soon as it is back
            }
            throw fault;
        } finally {
            turns.release();
        }
    }

    private <T extends @Nullable Object> T untilNotUndone(Function<Statements, T> work) {
        for (int tries = 1; ; tries++) {
            try {
                return once(work);
            } catch (RuntimeException e) {
                if (tries == TRIES || !Faults.undone(e) || !paused(tries)) {
                    throw e;
                }
            }
        }
    }

    /** So that two do not meet again at the same place. @return whether to go on */
    private static boolean paused(int tries) {
        try {
            Thread.sleep(ThreadLocalRandom.current().nextInt(10 << tries));
            return true;
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private <T extends @Nullable Object> T once(Function<Statements, T> work) {
        DbTransaction transaction = client.transaction();
        T result;
        try {
            result = work.apply(new Statements(transaction));
        } catch (Throwable e) {
            rollback(transaction, e);
            throw e;
        }
        transaction.commit();
        return result;
    }

    private void awaitTurn() {
        try {
            if (turns.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
            throw DatabaseUnavailable.busy("the database is busy: all connections to it were in use for %d s; nothing was done".formatted(PATIENCE.toSeconds()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DatabaseUnavailable("interrupted while waiting for the database", e);
        }
    }

    private static void rollback(DbTransaction transaction, Throwable because) {
        try {
            transaction.rollback();
        } catch (RuntimeException e) {
            because.addSuppressed(e);
        }
    }

    /** {@link Statements#query} in a transaction of its own. */
    public <T> List<T> query(String sql, Map<String, ? extends @Nullable Object> parameters, Function<Row, T> read) {
        return inTurn(tx -> tx.query(sql, parameters, read));
    }

    /** {@link Statements#find} in a transaction of its own. */
    public <T> Optional<T> find(String sql, Map<String, ? extends @Nullable Object> parameters, Function<Row, T> read) {
        return inTurn(tx -> tx.find(sql, parameters, read));
    }

    /** {@link Statements#update} in a transaction of its own. */
    public long update(String sql, Map<String, ? extends @Nullable Object> parameters) {
        return transaction(tx -> tx.update(sql, parameters));
    }

    /** Closes the connections, then the embedded database with its file. Calls that come later find it unavailable. */
    @Override
    public void close() {
        if (pool.isClosed()) {
            return;
        }
        pool.close();
        embedded.ifPresent(file -> {
            try (Connection connection = DriverManager.getConnection(pool.getJdbcUrl(), pool.getUsername(), pool.getPassword());
                    Statement shutdown = connection.createStatement()) {
                shutdown.execute("SHUTDOWN");
            } catch (SQLException e) {
                // It is closed already, or cannot be: every commit is on the disk either way.
            }
            file.close();
        });
    }
}
