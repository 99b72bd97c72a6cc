package gpuq.db;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whoever has set up a MySQL server.
 *
 * @param url that of the server, with a slash at its end
 * @param password root's
 */
public record MysqlAdministrator(String url, String password) {
    private static final Path DOCUMENTED = Path.of("").toAbsolutePath().resolveSibling("docs/configuration.md");
    private static final int THERE_ALREADY = 1007;
    private static final String BOUNDED = "?connectTimeout=5000&socketTimeout=30000";
    private static final int CONNECTIONS = 4; // each is a handshake

    /** As SQL, one statement each. */
    public void execute(String... statements) {
        try {
            run(List.of(statements));
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** The only column of the only row. */
    public String ask(String query) {
        try (var connection = DriverManager.getConnection(url + BOUNDED, "root", password); var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            return rows.next() ? rows.getString(1) : "";
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    boolean answers() {
        try {
            run(List.of("SELECT 1"));
            return true;
        } catch (SQLException notYet) {
            return false;
        }
    }

    /** A database with a user of its own, made exactly as our documentation says; the same name gives the same again. */
    public DatabaseSettings database(String name) {
        try {
            run(documented(name));
        } catch (SQLException e) {
            if (e.getErrorCode() != THERE_ALREADY) {
                throw new AssertionError(e);
            }
        }
        return new DatabaseSettings(url + name, name, "a password", CONNECTIONS);
    }

    private void run(List<String> statements) throws SQLException {
        try (var connection = DriverManager.getConnection(url + BOUNDED, "root", password); var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static List<String> documented(String name) {
        try {
            Matcher block = Pattern.compile("```sql\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(DOCUMENTED));
            if (!block.find()) {
                throw new AssertionError("how to make a database is not in " + DOCUMENTED);
            }
            return block.group(1).replace("gpuq", name).replace(";", "").lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
