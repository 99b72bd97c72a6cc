package gpuq.db;

import io.helidon.dbclient.DbExecute;
import io.helidon.dbclient.DbRow;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a store says to the database: SQL with {@code :named} parameters, in the subset that H2 and MySQL understand alike.
 * Answers are read to their end before they are returned, so nothing stays open.
 */
public final class Statements {
    private final DbExecute execute;

    Statements(DbExecute execute) {
        this.execute = execute;
    }

    public <T> List<T> query(String sql, Map<String, ? extends @Nullable Object> parameters, Function<Row, T> read) {
        try (Stream<DbRow> rows = execute.createQuery(sql).params(parameters).execute()) {
            return rows.map(row -> read.apply(new Row(row))).toList();
        }
    }

    /** The only row of the answer, if there is one. */
    public <T> Optional<T> find(String sql, Map<String, ? extends @Nullable Object> parameters, Function<Row, T> read) {
        List<T> found = query(sql, parameters, read);
        if (found.size() > 1) {
            throw new IllegalStateException("expected one row at most, got " + found.size());
        }
        return found.stream().findFirst();
    }

    /** @return how many rows the statement matched; not to be used of an upsert, which every database counts in its own way */
    public long update(String sql, Map<String, ? extends @Nullable Object> parameters) {
        return execute.createDmlStatement(sql).params(parameters).execute();
    }
}
