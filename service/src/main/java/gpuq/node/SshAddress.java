package gpuq.node;

import java.nio.file.Path;

/**
 * Where a node listens for SSH, and how both sides know each other.
 *
 * @param user whose spool it is
 * @param key the server's private key, as {@code ssh-keygen} writes it, without a passphrase; read for each connection
 * @param hostKey what the host has to prove
 * @param command the node script there: a path, or a name in the {@code PATH} of a login
 */
public record SshAddress(String host, int port, String user, Path key, HostKey hostKey, String command) {

    /** A host is never trusted on first sight. */
    public sealed interface HostKey {
        /** @param file as OpenSSH's {@code known_hosts}; read for each connection */
        record KnownHosts(Path file) implements HostKey {}

        /** @param sha256 {@code SHA256:} and 43 characters, as {@code ssh-keygen -l} prints it */
        record Fingerprint(String sha256) implements HostKey {}
    }
}
