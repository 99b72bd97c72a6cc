package gpuq.db;

import com.github.dockerjava.api.exception.NotFoundException;
import java.util.Optional;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.mysql.MySQLContainer;
import org.testcontainers.utility.DockerImageName;

/** MySQL in a container, where a Docker engine answers and has the image that the system property {@code gpuq.test.mysql.image} names. */
final class ContainedMysql {
    private static final String PASSWORD = "of root";

    private ContainedMysql() {}

    /** Starts one; it goes away with this process. Nothing if there is no such engine. */
    static Optional<MysqlAdministrator> start() {
        return Optional.ofNullable(System.getProperty("gpuq.test.mysql.image")).filter(ContainedMysql::isThere).map(ContainedMysql::run);
    }

    private static boolean isThere(String image) {
        if (!DockerClientFactory.instance().isDockerAvailable()) {
            return false;
        }
        try {
            DockerClientFactory.instance().client().inspectImageCmd(image).exec();
            return true;
        } catch (NotFoundException absent) {
            return false;
        }
    }

    @SuppressWarnings("resource") // it stays until the end
    private static MysqlAdministrator run(String image) {
        MySQLContainer container = new MySQLContainer(DockerImageName.parse(image).asCompatibleSubstituteFor("mysql")).withUsername("root").withPassword(PASSWORD);
        container.start();
        return new MysqlAdministrator("jdbc:mysql://%s:%d/".formatted(container.getHost(), container.getMappedPort(MySQLContainer.MYSQL_PORT)), PASSWORD);
    }
}
