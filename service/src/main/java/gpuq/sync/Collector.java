package gpuq.sync;

import gpuq.node.JobRecord;
import gpuq.node.JobRecord.Ending;
import gpuq.node.JobRecord.Sealed;
import gpuq.node.Node;
import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Fetches from a node what a job left there, in bounded pieces, and verifies it against the sealed hash. */
final class Collector {
    /** The most that is taken of a results document: a grader's is some kilobytes. */
    static final long LARGEST_DOCUMENT = 16 << 20;

    private static final int PIECE = 256 << 10;
    private static final int STDERR_TAIL = 64 << 10;

    private Collector() {}

    /**
     * @return the document byte for byte, empty when the job left none
     * @throws CorruptResults if what arrives is not what the node sealed
     */
    static byte[] document(Node node, JobRecord record, Ending ending) {
        if (ending.results().isEmpty()) {
            return new byte[0];
        }
        Sealed sealed = ending.results().get();
        byte[] document = read(node, record, "results", 0, sealed.size());
        if (document.length != sealed.size() || !sha256(document).equals(sealed.sha256())) {
            throw new CorruptResults("job %s: the node sealed %d bytes with SHA-256 %s, but %d bytes with %s arrived; it is fetched again"
                    .formatted(record.job(), sealed.size(), sealed.sha256(), document.length, sha256(document)));
        }
        return document;
    }

    static boolean tooLarge(Ending ending) {
        return ending.results().map(sealed -> sealed.size() > LARGEST_DOCUMENT).orElse(false);
    }

    /** The end of what the launch script wrote to its standard error. */
    static byte[] stderr(Node node, JobRecord record, Ending ending) {
        long size = ending.stderrSize();
        long from = Math.max(0, size - STDERR_TAIL);
        return read(node, record, "stderr", from, size - from);
    }

    private static byte[] read(Node node, JobRecord record, String file, long offset, long count) {
        var bytes = new ByteArrayOutputStream((int) count);
        while (bytes.size() < count) {
            int wanted = (int) Math.min(PIECE, count - bytes.size());
            byte[] piece = node.fetch(record.job(), record.attempt(), file, offset + bytes.size(), wanted);
            if (piece.length == 0) {
                break;
            }
            bytes.writeBytes(piece);
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

    /** What arrived differs from what was sealed. */
    static final class CorruptResults extends RuntimeException {
        CorruptResults(String message) {
            super(message);
        }
    }
}
