package gpuq;

import gpuq.auth.Users;
import gpuq.config.ServerConfig;
import gpuq.db.Database;
import gpuq.lease.ServerId;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;

/** The whole system in this process: two local nodes with the real scripts, the embedded database, the demonstration user. */
public final class RunningServer implements AutoCloseable {
    private final Site site;
    private final ServerId id;
    private final Database database;
    private final Users users;
    private final Server server;

    private RunningServer(Site site, ServerId id, Database database, Users users, Server server) {
        this.site = site;
        this.id = id;
        this.database = database;
        this.users = users;
        this.server = server;
    }

    /** @param directory where everything is kept */
    public static RunningServer start(Path directory) {
        return start(directory, Map.of());
    }

    /** @param environment settings by their variables, such as {@code GPUQ_SERVER_AUTH_REQUIRED_FOR_READS} */
    public static RunningServer start(Path directory, Map<String, String> environment) {
        return start(Site.in(directory, 2, 0), environment);
    }

    /** @param site as it was left */
    static RunningServer start(Site site, Map<String, String> environment) {
        ServerConfig config = ServerConfig.load(site.config(), environment);
        ServerId id = ServerId.in(config.dataDirectory());
        Database database = Database.open(config.database(), id.text());
        Users users = new Users(database, Server.CLOCK);
        users.addDemonstrationUser();
        return new RunningServer(site, id, database, users, new Server(config, database, users, id.text()));
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + server.port());
    }

    Site site() {
        return site;
    }

    public Users users() {
        return users;
    }

    @Override
    public void close() {
        server.close();
        database.close();
        id.close();
    }
}
