package gpuq.results;

import gpuq.db.Database;
import gpuq.db.DuplicateKey;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The table of results, by which the servers on one database have each other's. A file is kept in pieces, because a database bounds what one
 * statement may bring; a piece is written once, so doing it again is harmless. Only what belongs to an ended job is whole.
 */
public final class ResultsStore {
    private static final int PIECE = 512 << 10;

    private final Database database;

    public ResultsStore(Database database) {
        this.database = database;
    }

    /** @param kind {@code jsonl} or {@code stderr} */
    void keep(UUID job, int attempt, String kind, byte[] bytes) {
        for (int piece = 0; piece == 0 || piece * PIECE < bytes.length; piece++) {
            byte[] part = Arrays.copyOfRange(bytes, piece * PIECE, Math.min(bytes.length, (piece + 1) * PIECE));
            try {
                database.update("INSERT INTO results (job_id, attempt, kind, piece, base64) VALUES (:job_id, :attempt, :kind, :piece, :base64)",
                        Map.of("job_id", job.toString(), "attempt", attempt, "kind", kind, "piece", piece, "base64", Base64.getEncoder().encodeToString(part)));
            } catch (DuplicateKey already) {
                // a server that was killed in the middle had come so far
            }
        }
    }

    /** How long all that was kept is, as it is kept. */
    long size(UUID job, int attempt) {
        return database.query("SELECT COALESCE(SUM(LENGTH(base64)), 0) AS size FROM results WHERE job_id = :job_id AND attempt = :attempt",
                Map.of("job_id", job.toString(), "attempt", attempt), row -> row.whole("size")).getFirst();
    }

    /** Nothing if it was not kept. */
    Optional<byte[]> find(UUID job, int attempt, String kind) {
        List<String> pieces = database.query("SELECT base64 FROM results WHERE job_id = :job_id AND attempt = :attempt AND kind = :kind ORDER BY piece",
                Map.of("job_id", job.toString(), "attempt", attempt, "kind", kind), row -> row.text("base64"));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        pieces.stream().map(Base64.getDecoder()::decode).forEach(bytes::writeBytes);
        return pieces.isEmpty() ? Optional.empty() : Optional.of(bytes.toByteArray());
    }
}
