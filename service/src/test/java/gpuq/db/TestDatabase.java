package gpuq.db;

import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;

/** Where a test keeps its rows: in the embedded database, or in the MySQL server that the system property {@code gpuq.test.mysql} names. */
public final class TestDatabase {
    private static final Optional<String> MYSQL = Optional.ofNullable(System.getProperty("gpuq.test.mysql"));

    private TestDatabase() {}

    /** @param folder the test's own: the same one gives the same database again */
    public static DatabaseSettings in(Path folder) {
        return MYSQL.map(server -> schema(server, folder)).orElseGet(() -> DatabaseSettings.embedded(folder.resolve("gpuq")));
    }

    /** Lines of the server's configuration. */
    public static String yaml(Path folder) {
        return MYSQL.map(server -> schema(server, folder))
                .map(settings -> "database: {url: \"%s\", username: %s}\n".formatted(settings.url(), settings.username())).orElse("");
    }

    public static boolean embedded() {
        return MYSQL.isEmpty();
    }

    private static DatabaseSettings schema(String server, Path folder) {
        String name = "t" + UUID.nameUUIDFromBytes(folder.toAbsolutePath().toString().getBytes()).toString().replace("-", "");
        try (var connection = DriverManager.getConnection(server, "root", ""); var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE IF NOT EXISTS " + name);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        return new DatabaseSettings(server + name, "root", "", DatabaseSettings.CONNECTIONS);
    }
}
