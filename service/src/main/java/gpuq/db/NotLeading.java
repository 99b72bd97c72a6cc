package gpuq.db;

/** Another server leads by now: nothing was written. */
public final class NotLeading extends DatabaseException {
    public NotLeading() {
        super("this server's lease is over; nothing was written", null);
    }
}
