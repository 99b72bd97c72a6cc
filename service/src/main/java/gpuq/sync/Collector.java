package gpuq.sync;

import gpuq.node.JobRecord;
import gpuq.node.JobRecord.Ending;
import gpuq.node.JobRecord.Sealed;
import gpuq.node.Node;
import gpuq.node.NodeRefused;
import gpuq.results.ResultsArchive;
import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;

/** Fetches from a node what a job left there, in bounded pieces, and verifies it against the sealed hash. */
final class Collector {
    /** A slow link must not be taken for a silent one: pieces grow only while they come at once. */
    private static final int FIRST_PIECE = 8 << 10;

    private static final int LARGEST_PIECE = 256 << 10;
    private static final Duration AT_ONCE = Duration.ofSeconds(1);
    private static final int STDERR_TAIL = 64 << 10;
    private static final int LARGEST_SOLUTION = 8 << 20;

    private Collector() {}

    /** @return the document byte for byte, empty bytes when the job left none; nothing if, twice, what arrives is not what the node sealed */
    static Optional<byte[]> document(Node node, JobRecord record, Ending ending) {
        if (ending.results().isEmpty()) {
            return Optional.of(new byte[0]);
        }
        Sealed sealed = ending.results().get();
        return attempt(node, record, sealed).or(() -> attempt(node, record, sealed));
    }

    private static Optional<byte[]> attempt(Node node, JobRecord record, Sealed sealed) {
        byte[] document = read(node, record, "results", 0, sealed.size());
        return Optional.of(document).filter(bytes -> bytes.length == sealed.size() && sha256(bytes).equals(sealed.sha256()));
    }

    static boolean tooLarge(Ending ending) {
        return ending.results().map(sealed -> sealed.size() > ResultsArchive.MOST_DOCUMENT).orElse(false);
    }

    /** The end of what the launch script wrote to its standard error. */
    static byte[] stderr(Node node, JobRecord record, Ending ending) {
        long size = ending.stderrSize();
        long from = Math.max(0, size - STDERR_TAIL);
        return read(node, record, "stderr", from, size - from);
    }

    /** The code that the job was submitted with, as it lies there now; empty bytes if it does not. */
    static byte[] solution(Node node, JobRecord record) {
        return read(node, record, "solution", 0, LARGEST_SOLUTION);
    }

    /** What there is of it. */
    private static byte[] read(Node node, JobRecord record, String file, long offset, long count) {
        var bytes = new ByteArrayOutputStream((int) Math.min(count, FIRST_PIECE));
        int most = FIRST_PIECE;
        try {
            while (bytes.size() < count) {
                int wanted = (int) Math.min(most, count - bytes.size());
                long began = System.nanoTime();
                byte[] piece = node.fetch(record.job(), record.attempt(), file, offset + bytes.size(), wanted);
                if (piece.length == 0) {
                    break;
                }
                bytes.writeBytes(piece);
                boolean fast = System.nanoTime() - began < AT_ONCE.toNanos();
                most = fast ? Math.min(2 * most, LARGEST_PIECE) : FIRST_PIECE;
            }
        } catch (NodeRefused refused) {
            if (refused.code() != NodeRefused.NOT_THERE) {
                throw refused;
            }
        }
        return bytes.toByteArray();
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every JDK has SHA-256", impossible);
        }
    }
}
