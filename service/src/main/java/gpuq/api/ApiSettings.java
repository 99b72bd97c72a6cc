package gpuq.api;

import java.time.Duration;

/**
 * The settings of the HTTP side.
 *
 * @param host the address to listen on
 * @param port 0 for any free one
 * @param codeLimit the largest solution, in bytes
 * @param waitLimit how long a submit with {@code wait=true} waits before it answers "still running"
 * @param defaultTimeLimit of a job whose configuration names none
 * @param tokensRequired whether reading needs a token too; then lists show only one's own jobs
 * @param cancelPatience how long a cancel waits for the node's confirmation before it answers 202
 * @param headerDeadline for a request's headers, from its first line
 * @param bodyDeadline for a request's body
 * @param answerDeadline for the client to take an answer
 * @param idleLimit after which a connection without a request is closed
 * @param stopPatience how long {@link HttpServer#stop} lets answers out
 */
public record ApiSettings(
        String host,
        int port,
        int codeLimit,
        Duration waitLimit,
        Duration defaultTimeLimit,
        boolean tokensRequired,
        Duration cancelPatience,
        Duration headerDeadline,
        Duration bodyDeadline,
        Duration answerDeadline,
        Duration idleLimit,
        Duration stopPatience) {

    /** The published limits, on this machine's own address. */
    public static ApiSettings defaults() {
        return new ApiSettings(
                "127.0.0.1",
                8001,
                1 << 20,
                Duration.ofSeconds(14_400),
                Duration.ofDays(7),
                false,
                Duration.ofSeconds(15),
                Duration.ofSeconds(10),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                Duration.ofSeconds(30));
    }
}
