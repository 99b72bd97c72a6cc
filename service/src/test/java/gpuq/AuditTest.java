package gpuq;

import static org.junit.jupiter.api.Assertions.assertEquals;

import gpuq.api.ApiClient;
import gpuq.audit.Audit;
import gpuq.config.ServerConfig;
import gpuq.db.Database;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What docs/configuration.md promises of the audit. */
@Timeout(60)
class AuditTest {
    /** Every word of SQL that can stand before the name of a table, with those before it. */
    private static final Pattern TO_THE_TABLE = Pattern.compile("(?i)((?:\\b(?:create|alter|drop|rename|truncate|table|if|not|exists|insert|replace|ignore|into|update|delete|from|join) )+)audit\\b");

    @TempDir
    private Path directory;

    @Test
    void every_act_is_told_with_who_did_it_and_one_that_was_not_allowed_is_none() throws IOException {
        Path spool = directory.resolve("node-1/spool");
        Files.createDirectories(spool.getParent());
        Files.createFile(spool); // no spool can be made there: the node can be given up
        String job;
        Site site;
        try (RunningServer server = RunningServer.start(directory)) {
            site = server.site();
            ApiClient api = new ApiClient(server.uri());
            String[] ada = {"Authorization", "Bearer " + server.users().add("ada", true, "grace")};
            String[] sarang = {"Authorization", "Bearer sarang"};
            job = api.submit("?wait=false", "import time; time.sleep(600)", ApiClient.config()).text("job_id");
            assertEquals(403, api.post("/api/nodes/0/drain", sarang).status());
            assertEquals(200, api.post("/api/cancel/" + job, sarang).status());
            assertEquals(200, api.post("/api/nodes/0/drain?reason=repair", ada).status());
            assertEquals(200, api.post("/api/nodes/0/resume", ada).status());
            assertEquals(200, api.post("/api/nodes/1/lost?reason=fire", ada).status());
            server.users().revoke("ada", "grace");
        }
        try (Database database = Database.open(ServerConfig.load(site.config(), Map.of()).database())) {
            new Command(database, Server.CLOCK).run(List.of("restored"));
            assertEquals(List.of(
                    "127.0.0.1:0 server leads lease 1",
                    "grace user add ada as an administrator",
                    "sarang job cancel " + job,
                    "ada node drain 0 repair",
                    "ada node resume 0",
                    "ada node lost 1 fire",
                    "grace user revoke ada 1 tokens",
                    "(command line) restored database"), lines(database));
        }
    }

    private static List<String> lines(Database database) {
        return new Audit(database, Server.CLOCK).last(100).stream()
                .map(line -> "%s %s %s %s".formatted(line.actor(), line.act(), line.subject(), line.detail()).strip()).toList();
    }

    @Test
    void no_statement_of_the_server_changes_a_line_or_takes_one_away() throws IOException {
        try (Stream<Path> sources = Files.walk(Site.CHECKOUT.resolve("service/src/main"))) {
            String all = sources.filter(file -> file.toString().matches(".*\\.(java|sql)")).map(AuditTest::text).collect(Collectors.joining("\n"));
            assertEquals(Set.of("create table if not exists", "insert into", "from"), doneToTheTable(all));
        }
    }

    @Test
    void a_statement_that_does_is_found() {
        assertEquals(Set.of("update", "delete from", "drop table", "from"),
                doneToTheTable("UPDATE audit SET at = 1; delete\n  from `audit`; \"DROP TABLE \" +\n \"audit\"; SELECT at FROM audit; FROM auditors"));
    }

    private static Set<String> doneToTheTable(String sources) {
        String words = sources.replaceAll("[\\s\"`+]+", " ");
        return TO_THE_TABLE.matcher(words).results().map(found -> found.group(1).strip().toLowerCase(Locale.ROOT)).collect(Collectors.toSet());
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
