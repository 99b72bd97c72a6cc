package gpuq.db;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/**
 * Where a test keeps its rows: in the embedded database, or, if the system property {@code gpuq.test.mysql} is set, in a real MySQL server, one for all
 * tests of the process: in a container where Docker has it, else one that is started here.
 */
public final class TestDatabase {
    private static final Optional<MysqlAdministrator> MYSQL = Optional.ofNullable(System.getProperty("gpuq.test.mysql")).map(home -> mysql());

    private TestDatabase() {}

    /** @param folder the test's own: the same one gives the same database again */
    public static DatabaseSettings in(Path folder) {
        return MYSQL.map(server -> server.database(name(folder))).orElseGet(() -> DatabaseSettings.embedded(folder.resolve("gpuq")));
    }

    /** Lines of the server's configuration. */
    public static String yaml(Path folder) {
        return MYSQL.map(server -> server.database(name(folder)))
                .map(settings -> "database: {url: \"%s\", username: %s, password: \"%s\"}\n".formatted(settings.url(), settings.username(), settings.password()))
                .orElse("");
    }

    public static boolean embedded() {
        return MYSQL.isEmpty();
    }

    private static MysqlAdministrator mysql() {
        Optional<MysqlAdministrator> contained = ContainedMysql.start();
        MysqlAdministrator server = contained.orElseGet(() -> MysqlServer.start().administrator());
        System.out.printf("the rows of these tests are in MySQL %s, %s%n", server.ask("SELECT version()"),
                contained.isPresent() ? "in a container of Docker" : "in a server of the tests' own");
        return server;
    }

    private static String name(Path folder) {
        String hash = UUID.nameUUIDFromBytes(folder.toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8)).toString();
        return "t" + hash.replace("-", "").substring(0, 20);
    }
}
