package gpuq.db;

import io.helidon.dbclient.DbClient;
import io.helidon.dbclient.DbTransaction;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
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

    /** How often a transaction is tried that the database undoes for the sake of others. */
    private static final int TRIES = 5;

    private final Connections connections;
    private final DbClient client;
    private final Optional<EmbeddedFile> embedded;

    /** First come, first served: the pool hands connections to whoever happens to ask, and lets some of a thousand wait for seconds. */
    private final Semaphore turns;

    private final Fence fence;

    private Database(Connections connections, Optional<EmbeddedFile> embedded) {
        this(connections, connections.client(), embedded, new Semaphore(connections.most(), true), anybody -> { });
    }

    private Database(Connections connections, DbClient client, Optional<EmbeddedFile> embedded, Semaphore turns, Fence fence) {
        this.connections = connections;
        this.client = client;
        this.embedded = embedded;
        this.turns = turns;
        this.fence = fence;
    }

    /**
     * Connects and brings the schema up to date.
     *
     * @param client who connects: {@link Lane#cutOff} knows its connections by it
     * @throws DatabaseUnavailable if it cannot be opened, with a sentence that says why
     * @throws SchemaRefused if it holds what this version does not know
     */
    public static Database open(DatabaseSettings settings, String client) {
        Optional<EmbeddedFile> embedded = EmbeddedFile.is(settings.url()) ? Optional.of(EmbeddedFile.open(settings.url())) : Optional.empty();
        Database database;
        try {
            database = new Database(Connections.open(settings, client, settings.connections(), MysqlSession.SILENCE), embedded);
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
        try (Connections patient = Connections.open(settings, client, 1, Duration.ZERO)) {
            new Migrations().apply(new Database(patient, Optional.empty()), Clock.systemUTC());
        }
    }

    private void endLeftovers() {
        try (Connection first = connections.take()) {
            Leftovers.end(first);
        } catch (SQLException e) {
            throw new DatabaseUnavailable("the database does not answer: " + Faults.firstLine(e), e);
        }
    }

    /** {@link #open(DatabaseSettings, String)} for one who holds no lease. */
    public static Database open(DatabaseSettings settings) {
        return open(settings, "nobody");
    }

    /** The same database, with a fence around what is written through it. To close one is to close both. */
    public Database fencedBy(Fence guard) {
        return new Database(connections, client, embedded, turns, guard);
    }

    /** How many scripts have made the schema what it is. */
    public int schemaVersion() {
        return query("SELECT MAX(version) AS version FROM schema_version", Map.of(), row -> row.number("version")).getFirst();
    }

    /** The same database over one connection more, for a {@link Lane}. To be closed by itself. */
    Database overAnotherConnection() {
        return new Database(connections.another(), Optional.empty());
    }

    /** Whether other processes may use it at the same time. */
    public boolean shared() {
        return embedded.isEmpty();
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
            if (fault instanceof DatabaseUnavailable) {
                connections.replace();
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
        if (connections.closed()) {
            return;
        }
        connections.close();
        embedded.ifPresent(file -> {
            connections.shutDown();
            file.close();
        });
    }
}
