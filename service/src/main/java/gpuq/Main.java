package gpuq;

import gpuq.CommandLine.Misuse;
import gpuq.auth.Users;
import gpuq.config.ConfigRefused;
import gpuq.config.Mode;
import gpuq.config.ServerConfig;
import gpuq.db.Database;
import gpuq.db.DatabaseException;
import gpuq.lease.ServerId;
import io.helidon.logging.common.LogConfig;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import sun.misc.Signal;

/**
 * The command line of the server. Exit codes as in sysexits: 64 wrong use, 70 a fault of ours, 75 not now (the database or the port is in use),
 * 78 a configuration that cannot be used.
 */
public final class Main {

    private Main() {}

    public static void main(String[] args) {
        LogConfig.configureRuntime();
        try {
            run(List.of(args));
        } catch (Misuse wrong) {
            end(64, wrong.getMessage());
        } catch (ConfigRefused refused) {
            end(78, refused.getMessage());
        } catch (DatabaseException | UncheckedIOException notNow) {
            end(75, notNow.getMessage());
        }
    }

    private static void run(List<String> args) {
        CommandLine line = CommandLine.of(args);
        ServerConfig config = ServerConfig.load(line.config(), System.getenv());
        if (line.check()) {
            System.out.print(config.effective());
        } else if (line.command().isEmpty()) {
            serve(line.config(), config);
        } else {
            command(config, line.command());
        }
    }

    /** By the server that has the embedded database open, if there is one. */
    private static void command(ServerConfig config, List<String> words) {
        Optional<ControlSocket.Answer> answer = config.database().isEmbedded() ? ControlSocket.ask(config.dataDirectory(), words) : Optional.empty();
        if (answer.isPresent() && answer.get().code() != 0) {
            end(answer.get().code(), answer.get().text());
        } else if (answer.isPresent()) {
            System.out.print(answer.get().text());
        } else {
            try (Database database = Database.open(config.database())) {
                System.out.print(new Command(database, Server.CLOCK).run(words));
            }
            System.exit(0); // H2 leaves threads behind when there is no room to copy its file
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
        Optional<ControlSocket> control = database.shared() ? Optional.empty()
                : ControlSocket.listen(config.dataDirectory(), new Command(database, Server.CLOCK)::run);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            log.log(Level.INFO, "stopping: waiting clients are answered, jobs go on");
            control.ifPresent(ControlSocket::close);
            server.close();
            database.close();
            id.close();
        }, "stop"));
        Signal.handle(new Signal("HUP"), hangup -> reload(file, server, log));
        Thread.ofVirtual().name("sweeper").start(Sweeper.ofThisProcess());
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

    private static void end(int code, String sentence) {
        System.err.println("gpuq-server: " + sentence);
        System.exit(code);
    }
}
