package gpuq;

import gpuq.auth.User;
import gpuq.auth.Users;
import gpuq.config.ConfigRefused;
import gpuq.config.Mode;
import gpuq.config.ServerConfig;
import gpuq.db.Database;
import gpuq.db.DatabaseUnavailable;
import gpuq.db.SchemaRefused;
import gpuq.lease.ServerId;
import io.helidon.logging.common.LogConfig;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import sun.misc.Signal;

/**
 * The command line of the server. Exit codes as in sysexits: 64 wrong use, 70 a fault of ours, 75 not now (the database or the port is in use),
 * 78 a configuration that cannot be used.
 */
public final class Main {
    private static final String USAGE = """
            Usage: java -jar gpuq-server.jar --config FILE [COMMAND]

              (no command)            serve until TERM; HUP reads the nodes in FILE anew
              check-config            say all that is wrong with the configuration, or print it as it is in effect
              user add ID [--admin]   make a user, or give one a further token; prints the token, once
              user list               all users
              user revoke ID          revoke all tokens of a user

            The embedded database takes one process at a time: stop the server before the user commands.
            docs/configuration.md describes FILE.""";

    private Main() {}

    public static void main(String[] args) {
        LogConfig.configureRuntime();
        try {
            run(List.of(args));
        } catch (Misuse wrong) {
            end(64, wrong.getMessage());
        } catch (ConfigRefused refused) {
            end(78, refused.getMessage());
        } catch (SchemaRefused | DatabaseUnavailable | UncheckedIOException notNow) {
            end(75, notNow.getMessage());
        }
    }

    private static void run(List<String> args) {
        if (args.equals(List.of("--help"))) {
            System.out.println(USAGE);
            return;
        }
        if (args.size() < 2 || !args.getFirst().equals("--config")) {
            throw new Misuse("name the configuration with --config FILE; --help says more");
        }
        Path file = Path.of(args.get(1));
        ServerConfig config = ServerConfig.load(file, System.getenv());
        List<String> command = args.subList(2, args.size());
        switch (command.isEmpty() ? "serve" : command.getFirst()) {
            case "serve" -> serve(file, config);
            case "check-config" -> System.out.print(config.effective());
            case "user" -> user(config, command.subList(1, command.size()));
            default -> throw new Misuse("there is no command '%s'; --help lists them".formatted(command.getFirst()));
        }
    }

    private static void serve(Path file, ServerConfig config) {
        Logger log = System.getLogger(Main.class.getName());
        log.log(Level.INFO, "the configuration in effect:\n{0}", config.effective().indent(2).stripTrailing());
        ServerId id = ServerId.in(config.dataDirectory());
        Database database = Database.open(config.database(), id.text());
        Users users = new Users(database, Server.CLOCK);
        if (config.mode() == Mode.DEMONSTRATION) {
            users.addDemonstrationUser();
            log.log(Level.WARNING, "demonstration mode: everybody knows the token of the user sarang");
        } else if (users.hasDemonstrationUser()) {
            database.close();
            end(78, "mode: the database holds the demonstration user, whose token everybody knows; revoke it with 'user revoke sarang', or set mode: demonstration");
        }
        Server server = new Server(config, database, users, id.text());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            log.log(Level.INFO, "stopping: waiting clients are answered, jobs go on");
            server.close();
            database.close();
            id.close();
        }, "stop"));
        Signal.handle(new Signal("HUP"), hangup -> reload(file, server, log));
        log.log(Level.INFO, "ready on port {0}", Integer.toString(server.port()));
    }

    /** As daemons do it at HUP. A configuration with faults changes nothing. */
    private static void reload(Path file, Server server, Logger log) {
        try {
            log.log(Level.INFO, "{0} is read anew: {1}", file, server.reload(ServerConfig.load(file, System.getenv())));
        } catch (ConfigRefused refused) {
            log.log(Level.ERROR, "nothing is changed: {0}", refused.getMessage());
        } catch (RuntimeException failure) {
            log.log(Level.ERROR, "the configuration could not be taken over; send HUP again", failure);
        }
    }

    private static void user(ServerConfig config, List<String> words) {
        try (Database database = Database.open(config.database())) {
            Users users = new Users(database, Server.CLOCK);
            switch (String.join(" ", words.stream().limit(1).toList())) {
                case "add" -> System.out.println(add(users, words));
                case "list" -> users.list().forEach(user -> System.out.println(line(user)));
                case "revoke" -> revoke(users, words);
                default -> throw new Misuse("user takes add, list or revoke; --help says more");
            }
        }
    }

    private static String add(Users users, List<String> words) {
        boolean admin = words.size() == 3 && words.get(2).equals("--admin");
        if (words.size() != 2 && !admin) {
            throw new Misuse("user add takes an id and, for an administrator, --admin");
        }
        try {
            return users.add(words.get(1), admin);
        } catch (IllegalArgumentException notAnId) {
            throw new Misuse(notAnId.getMessage());
        }
    }

    private static void revoke(Users users, List<String> words) {
        if (words.size() != 2) {
            throw new Misuse("user revoke takes an id");
        }
        if (!users.revoke(words.get(1))) {
            throw new Misuse("there is no such user, or no token of theirs that is valid");
        }
    }

    private static String line(User user) {
        return user.admin() ? user.id() + " (administrator)" : user.id();
    }

    private static void end(int code, String sentence) {
        System.err.println("gpuq-server: " + sentence);
        System.exit(code);
    }

    /** The command line is not as it should be. */
    private static final class Misuse extends RuntimeException {
        Misuse(String message) {
            super(message);
        }
    }
}
