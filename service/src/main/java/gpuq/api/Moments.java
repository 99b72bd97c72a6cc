package gpuq.api;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** Moments as the published documentation shows them: Python's isoformat in UTC, without a zone, to the microsecond. */
final class Moments {
    private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss").withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter MICROS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS").withZone(ZoneOffset.UTC);

    private Moments() {}

    static String text(Instant moment) {
        return (moment.getNano() / 1000 == 0 ? SECONDS : MICROS).format(moment);
    }
}
