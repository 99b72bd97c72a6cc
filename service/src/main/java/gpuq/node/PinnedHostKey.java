package gpuq.node;

import gpuq.node.SshAddress.HostKey;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.util.Base64;
import java.util.List;
import net.schmizz.sshj.common.Buffer;
import net.schmizz.sshj.common.KeyType;
import net.schmizz.sshj.transport.verification.HostKeyVerifier;
import net.schmizz.sshj.transport.verification.OpenSSHKnownHosts;

/** Takes one host's key or refuses it, and says why. For one connection. */
final class PinnedHostKey implements HostKeyVerifier {
    private final HostKeyVerifier verifier;
    private String refusal = "";

    /** @throws IOException when the known hosts cannot be read */
    PinnedHostKey(HostKey pinned) throws IOException {
        this.verifier = switch (pinned) {
            case HostKey.KnownHosts(var file) -> new KnownHosts(file.toFile());
            case HostKey.Fingerprint(String sha256) -> new Exactly(sha256);
        };
    }

    @Override
    public boolean verify(String host, int port, PublicKey key) {
        return verifier.verify(host, port, key);
    }

    /** So that the host is asked for a key of the kind that is known, and not for its favourite. */
    @Override
    public List<String> findExistingAlgorithms(String host, int port) {
        return verifier.findExistingAlgorithms(host, port);
    }

    /** Why it was refused; empty while it was not. */
    String refusal() {
        return refusal;
    }

    private boolean refuse(String why, PublicKey key) {
        refusal = "its host key %s %s %s".formatted(KeyType.fromKey(key), fingerprint(key), why);
        return false;
    }

    static String fingerprint(PublicKey key) {
        try {
            byte[] blob = new Buffer.PlainBuffer().putPublicKey(key).getCompactData();
            return "SHA256:" + Base64.getEncoder().withoutPadding().encodeToString(MessageDigest.getInstance("SHA-256").digest(blob));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private final class KnownHosts extends OpenSSHKnownHosts {
        KnownHosts(java.io.File file) throws IOException {
            super(file);
        }

        @Override
        protected boolean hostKeyUnverifiableAction(String host, PublicKey key) {
            return refuse("is not in " + khFile, key);
        }

        @Override
        protected boolean hostKeyChangedAction(String host, PublicKey key) {
            return refuse("is another one than in " + khFile, key);
        }
    }

    private final class Exactly implements HostKeyVerifier {
        private final String sha256;

        Exactly(String sha256) {
            this.sha256 = sha256;
        }

        @Override
        public boolean verify(String host, int port, PublicKey key) {
            return fingerprint(key).equals(sha256) || refuse("is not the " + sha256 + " of the configuration", key);
        }

        @Override
        public List<String> findExistingAlgorithms(String host, int port) {
            return List.of();
        }
    }
}
