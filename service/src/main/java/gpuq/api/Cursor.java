package gpuq.api;

import gpuq.job.Job;
import gpuq.job.JobFilter.Place;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Optional;
import java.util.UUID;

/** A place in the list of jobs as a word that means nothing to anybody else: microseconds since 1970 and the job's id. */
final class Cursor {
    private static final int SIZE = 3 * Long.BYTES;
    private static final long LATEST = 253_402_300_799_999_999L; // the end of the year 9999

    private Cursor() {}

    static String text(Job last) {
        var bytes = ByteBuffer.allocate(SIZE)
                .putLong(ChronoUnit.MICROS.between(Instant.EPOCH, last.createdAt()))
                .putLong(last.id().getMostSignificantBits())
                .putLong(last.id().getLeastSignificantBits());
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.array());
    }

    static Optional<Place> read(String text) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(text);
            if (bytes.length != SIZE) {
                return Optional.empty();
            }
            var in = ByteBuffer.wrap(bytes);
            long micros = in.getLong();
            if (micros < 0 || micros > LATEST) {
                return Optional.empty();
            }
            var createdAt = Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
            return Optional.of(new Place(createdAt, new UUID(in.getLong(), in.getLong())));
        } catch (IllegalArgumentException notOurs) {
            return Optional.empty();
        }
    }
}
