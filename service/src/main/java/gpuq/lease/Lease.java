package gpuq.lease;

/**
 * The lease as its row says it.
 *
 * @param epoch grows with every taking; nodes refuse commands of an older one
 * @param holder the {@link ServerId} of who leads; empty when it was given back
 * @param address where the holder is asked, for people
 * @param beat grows with every renewal: what does not grow any more is over
 * @param restored whether the database may be older than what the nodes have done
 */
record Lease(long epoch, String holder, String address, long beat, boolean restored) {

    /** The same after another renewal. */
    Lease renewed() {
        return new Lease(epoch, holder, address, beat + 1, restored);
    }

    boolean isOf(String server) {
        return holder.equals(server);
    }

    boolean givenBack() {
        return holder.isEmpty();
    }
}
