package gpuq;

import gpuq.CommandLine.Misuse;
import gpuq.audit.Audit;
import gpuq.auth.User;
import gpuq.auth.Users;
import gpuq.db.Database;
import gpuq.lease.LeaseStore;
import java.time.Clock;
import java.time.format.DateTimeFormatter;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Collectors;

/** The commands on the database: the same in a process of their own and in the running server, to whom {@link ControlSocket} brings them. */
final class Command {
    private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss'Z'").withZone(ZoneOffset.UTC);
    private static final String USUAL_LINES = "100";

    private final Database database;
    private final Users users;
    private final Audit audit;

    Command(Database database, Clock clock) {
        this.database = database;
        this.users = new Users(database, clock);
        this.audit = new Audit(database, clock);
    }

    /** @return what to print @throws Misuse if there is no such command, or not with these words */
    String run(List<String> words) {
        String name = words.stream().limit(words.getFirst().equals("user") ? 2 : 1).collect(Collectors.joining(" "));
        List<String> rest = words.subList(Math.min(words.size(), name.split(" ").length), words.size());
        return switch (name) {
            case "migrate" -> none(rest, name, "The schema is up to date: version %d.\n".formatted(database.schemaVersion()));
            case "restored" -> none(rest, name, restored());
            case "user add" -> add(rest);
            case "user list" -> none(rest, name, users.list().stream().map(Command::line).collect(Collectors.joining()));
            case "user revoke" -> revoke(rest);
            case "audit" -> lines(rest);
            case "user" -> throw new Misuse("user takes add, list or revoke; --help says more");
            default -> throw new Misuse("there is no command '%s'; --help lists them".formatted(name.replaceAll("\\p{Cntrl}", "?")));
        };
    }

    private static String none(List<String> rest, String name, String answer) {
        if (!rest.isEmpty()) {
            throw new Misuse(name + " takes no words");
        }
        return answer;
    }

    private String restored() {
        if (!new LeaseStore(database).restored()) {
            return "No server has led with this database: there is nothing to ask the nodes for.\n";
        }
        audit.add(Audit.COMMAND_LINE, "restored", "database", "");
        return "The server that leads next asks every node before it hands out anything. Start the servers now, or again.\n";
    }

    private String add(List<String> rest) {
        boolean admin = rest.size() == 2 && rest.getLast().equals("--admin");
        if (rest.size() != 1 && !admin) {
            throw new Misuse("user add takes an id and, for an administrator, --admin");
        }
        try {
            return users.add(rest.getFirst(), admin, Audit.COMMAND_LINE) + "\n";
        } catch (IllegalArgumentException notAnId) {
            throw new Misuse(notAnId.getMessage());
        }
    }

    private String revoke(List<String> rest) {
        if (rest.size() != 1) {
            throw new Misuse("user revoke takes an id");
        }
        if (!users.revoke(rest.getFirst(), Audit.COMMAND_LINE)) {
            throw new Misuse("there is no such user, or no token of theirs that is valid");
        }
        return "";
    }

    private String lines(List<String> rest) {
        String limit = rest.isEmpty() ? USUAL_LINES : rest.getLast();
        if (!rest.isEmpty() && (rest.size() != 2 || !rest.getFirst().equals("--limit")) || !limit.matches("[1-9][0-9]{0,4}")) {
            throw new Misuse("audit takes --limit and a number from 1 to 99999");
        }
        return audit.last(Integer.parseInt(limit)).stream().map(Command::line).collect(Collectors.joining());
    }

    private static String line(User user) {
        return (user.admin() ? user.id() + " (administrator)" : user.id()) + "\n";
    }

    private static String line(Audit.Line line) {
        return "%s  %-20s  %-12s  %-36s  %s".formatted(SECONDS.format(line.at()), line.actor(), line.act(), line.subject(), line.detail()).stripTrailing() + "\n";
    }
}
