package gpuq.db;

import io.helidon.dbclient.DbRow;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One row of an answer, read by the lower-case labels of its columns.
 *
 * <p>Moments are kept as whole microseconds since 1970, which no driver, session or host shifts by a time zone.
 */
public final class Row {
    private final DbRow row;

    Row(DbRow row) {
        this.row = row;
    }

    public String text(String column) {
        return optionalText(column).orElseThrow(() -> new IllegalStateException("column " + column + " is null"));
    }

    public Optional<String> optionalText(String column) {
        return Optional.ofNullable(row.column(column).getString());
    }

    public boolean flag(String column) {
        return whole(column) != 0;
    }

    public int number(String column) {
        return Math.toIntExact(whole(column));
    }

    public OptionalInt optionalNumber(String column) {
        return optionalWhole(column).map(n -> OptionalInt.of(Math.toIntExact(n))).orElse(OptionalInt.empty());
    }

    public long whole(String column) {
        return optionalWhole(column).orElseThrow(() -> new IllegalStateException("column " + column + " is null"));
    }

    public Instant moment(String column) {
        return moment(whole(column));
    }

    public Optional<Instant> optionalMoment(String column) {
        return optionalWhole(column).map(Row::moment);
    }

    private Optional<Long> optionalWhole(String column) {
        return Optional.ofNullable(row.column(column).get(Number.class)).map(Number::longValue);
    }

    private static Instant moment(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    /** A moment as a column keeps it; what is finer than a microsecond is cut off. */
    public static long micros(Instant moment) {
        return Math.addExact(Math.multiplyExact(moment.getEpochSecond(), 1_000_000L), moment.getNano() / 1_000);
    }
}
