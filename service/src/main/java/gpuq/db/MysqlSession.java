package gpuq.db;

import com.zaxxer.hikari.HikariConfig;
import java.time.Duration;

/**
 * How a connection to MySQL is made so that nobody waits for ever, whatever the server's own settings are:
 *
 * <ul>
 *   <li>what another transaction holds is waited for a few seconds, not for the usual 50, and a table that is being changed not for a year;
 *   <li>a server that does not answer for so long counts as gone, with its connection: it may be frozen, or the link cut;
 *   <li>the other way round, it lets go of a client that is silent for a minute, and of its locks. The pool says something twice a minute;
 *   <li>text is utf8mb4 in both directions.
 * </ul>
 */
final class MysqlSession {
    /** The attribute of a connection that says who made it. */
    static final String CLIENT = "gpuq_client";

    /** How long an answer may take. */
    static final Duration SILENCE = Duration.ofSeconds(10);

    private static final Duration LOCK_WAIT = Duration.ofSeconds(3);
    private static final Duration SILENT_CLIENT = Duration.ofMinutes(1);

    private MysqlSession() {}

    /** @param silence how long an answer may take; zero: as long as it likes */
    static void configure(HikariConfig config, String client, Duration connect, Duration silence) {
        config.addDataSourceProperty("useLocalSessionState", "true"); // else a round trip more for each statement
        config.addDataSourceProperty("connectionAttributes", CLIENT + ":" + client);
        config.addDataSourceProperty("connectTimeout", Long.toString(connect.toMillis()));
        config.addDataSourceProperty("socketTimeout", Long.toString(silence.toMillis()));
        config.addDataSourceProperty("characterEncoding", "UTF-8");
        config.addDataSourceProperty("sessionVariables", "innodb_lock_wait_timeout=%1$d,lock_wait_timeout=%1$d,wait_timeout=%2$d"
                .formatted(LOCK_WAIT.toSeconds(), SILENT_CLIENT.toSeconds()));
        config.setKeepaliveTime(SILENT_CLIENT.toMillis() / 2);
    }
}
