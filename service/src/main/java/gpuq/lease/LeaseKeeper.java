package gpuq.lease;

import gpuq.db.Database;
import gpuq.db.DatabaseException;
import gpuq.db.Fence;
import gpuq.db.Lane;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Takes the lease when nobody holds it, renews it, and tells when it is lost. Of the servers on one database at most one leads.
 *
 * <p>Clocks of different hosts are never compared. Who waits for the lease sees its beat; when that has not changed for the lease's time, by the
 * waiting server's own clock, the lease is over. Who holds it and could not renew it for as long gives up leading. What a leader that
 * slept still writes is stopped by the {@link Fence}, and what it still tells a node by the lease's epoch.
 *
 * <p>An embedded database has one process, which takes the lease at its start and need not renew it; the epoch counts there as well, so that no node
 * obeys what an earlier, killed server still had on its way.
 */
public final class LeaseKeeper implements AutoCloseable {
    private static final Logger LOG = System.getLogger(LeaseKeeper.class.getName());
    private static final int RENEWALS = 4; // in the time of a lease

    /** Epochs count what leaders there were: a node that is so far ahead, or is so again within this time, lies. */
    private static final long LARGEST_LEAP = 1_000_000;

    private static final Duration BETWEEN_LEAPS = Duration.ofMinutes(1);

    private final Database database;
    private final Lane lane;
    private final LeaseStore store;
    private final String self;
    private final String address;
    private final Duration time;
    private final Leader leader;
    private final ExecutorService changes = Executors.newSingleThreadExecutor(Thread.ofVirtual().name("term").factory());
    private final CompletableFuture<Void> decided = new CompletableFuture<>();
    private final Semaphore stop = new Semaphore(0);
    private final Thread thread = Thread.ofVirtual().name("lease").unstarted(this::keep);
    private volatile boolean closed;
    private volatile Optional<Lease> mine = Optional.empty();
    private volatile long outbid;
    private volatile long older; // the epoch in which a node was found ahead
    private volatile long failed; // the epoch in which leading could not begin

    private Optional<Lease> seen = Optional.empty();
    private Optional<String> predecessor = Optional.empty(); // whose connections are to be ended
    private volatile long seenSince; // also the last renewal, while it is ours
    private long raisedAt = System.nanoTime() - BETWEEN_LEAPS.toNanos();
    private long idleSince = System.nanoTime() - BETWEEN_LEAPS.toNanos(); // it could not begin to lead, and lets others try
    private boolean twin; // another server has the same id
    private boolean away;

    /** Who begins and ends to lead. Called on one thread, in turns; {@link #follow} must not wait for it. */
    public interface Leader {
        /**
         * Begins. Returns early after {@link #stepDown}.
         *
         * @param epoch of the lease
         * @param fence for what is written in it
         * @param restored whether the database may be older than what the nodes have done
         * @return whether leading has begun, and the database is not older any more
         */
        boolean lead(long epoch, Fence fence, boolean restored);

        /** Stops at once to answer as the leader, and to begin to lead. Called on the keeper's thread, before {@link #follow}. */
        void stepDown();

        /** Ends what {@link #lead} began. */
        void follow();
    }

    /** @param self the {@link ServerId} @param address where this server is asked @param time how long a lease is good without being renewed */
    public LeaseKeeper(Database database, String self, String address, Duration time, Leader leader) {
        this.database = database;
        this.lane = Lane.to(database);
        this.store = new LeaseStore(lane.database());
        this.self = self;
        this.address = address;
        this.time = time;
        this.leader = leader;
    }

    /** Begins to keep the lease, or to wait for it. Returns when this server leads, or knows that another one does. */
    public void start() {
        thread.start();
        decided.join();
    }

    /** Whether this server leads and has renewed its lease in time: a renewal that gets no answer may block for longer than that. */
    public boolean good() {
        return mine.isPresent() && (!database.shared() || !expired());
    }

    /** Whether this server leads with the lease of this epoch, as far as it knows. */
    public boolean holds(long epoch) {
        return !closed && mine.filter(lease -> lease.epoch() == epoch).isPresent();
    }

    /** Where the present leader is asked, as far as it is known. */
    public Optional<String> leader() {
        return seen.filter(lease -> !lease.givenBack() && !lease.isOf(self)).map(Lease::address);
    }

    /** A node obeys a later epoch than this server's: another server leads, or the database is older than the node. */
    public void outbid(long epoch) {
        Optional<Lease> lease = mine;
        if (lease.isPresent() && epoch - lease.get().epoch() <= LARGEST_LEAP) {
            outbid = Math.max(outbid, epoch);
        } else if (lease.isPresent()) {
            LOG.log(Level.WARNING, "a node obeys lease {0}; that there were so many is not believed", Long.toString(epoch));
        }
    }

    /** A node has gone on with a job further than the database knows, or the database has lost a lease. @param epoch in which that was found */
    public void databaseIsOlder(long epoch) {
        older = Math.max(older, epoch);
    }

    private void keep() {
        while (!closed) {
            try {
                if (mine.isPresent()) {
                    hold(mine.get());
                } else {
                    standBy();
                }
                away = false;
            } catch (DatabaseException e) {
                notKept(e);
            } catch (RuntimeException | Error e) {
                LOG.log(Level.ERROR, "keeping the lease failed and is tried again", e);
            }
            pause();
        }
    }

    private void hold(Lease lease) {
        long now = System.nanoTime();
        if ((older == lease.epoch() || outbid > lease.epoch()) && now - raisedAt >= BETWEEN_LEAPS.toNanos()) {
            raisedAt = now;
            again(older == lease.epoch() ? "a node has gone on further than the database knows" : "a node obeys lease %d".formatted(outbid));
        } else if (failed == lease.epoch()) {
            letOthersTry(lease);
        } else if (!database.shared()) {
            seenSince = now;
        } else if (store.renew(lease)) {
            seenSince = now;
            mine = Optional.of(lease.renewed());
        } else {
            notRenewed(lease);
        }
    }

    private void notRenewed(Lease lease) {
        Optional<Lease> found = store.find();
        boolean earlier = found.map(Lease::epoch).orElse(0L) < lease.epoch(); // whoever comes after us counts on
        if (earlier || found.get().isOf(self) && found.get().epoch() == lease.epoch()) {
            older = lease.epoch();
            again("the database has gone back to an earlier state");
        } else {
            twin = found.get().isOf(self);
            lose(twin ? "another server has taken it who has this one's server-id: one data directory is a copy of the other" : "another server has taken it");
        }
    }

    private void letOthersTry(Lease lease) {
        lose("leading could not begin");
        store.giveBack(lease);
        idleSince = System.nanoTime();
    }

    /** With a later epoch. Only who holds the lease in the database gets one: where another holds it, this finds out. */
    private void again(String why) {
        lose(why);
        standBy();
    }

    private void standBy() {
        Optional<Lease> found = store.find();
        found.filter(lease -> !lease.isOf(self)).ifPresent(lease ->
                predecessor = lease.givenBack() ? Optional.empty() : Optional.of(lease.holder()));
        seen.map(Lease::epoch).filter(epoch -> found.map(Lease::epoch).orElse(0L) < epoch).ifPresent(this::databaseIsOlder);
        if (!found.equals(seen)) {
            boolean living = seen.isPresent() && found.isPresent() && !found.get().givenBack();
            seen = found;
            seenSince = System.nanoTime();
            if (living) {
                decided.complete(null);
            }
        }
        if (free(found) && System.nanoTime() - idleSince >= time.toNanos()) {
            take(found);
        }
    }

    private boolean free(Optional<Lease> lease) {
        return !database.shared() || lease.isEmpty() || lease.get().givenBack() || lease.get().isOf(self) && !twin || expired();
    }

    private boolean expired() {
        return System.nanoTime() - seenSince >= time.toNanos();
    }

    private void take(Optional<Lease> before) {
        long last = before.map(Lease::epoch).orElse(0L);
        long epoch = 1 + Math.max(Math.max(outbid, older), last);
        boolean restored = older > 0 && older >= last || outbid > last || before.map(Lease::restored).orElse(false);
        Lease lease = new Lease(epoch, self, address, before.map(Lease::beat).orElse(0L) + 1, restored);
        predecessor.filter(old -> expired()).ifPresent(this::cutOff); // it may sleep with the row in its hands
        long now = System.nanoTime();
        if (!store.take(before, lease)) {
            return;
        }
        seenSince = now;
        mine = Optional.of(lease);
        predecessor.ifPresent(this::cutOff); // what it began since
        predecessor = Optional.empty();
        LOG.log(Level.INFO, "this server leads, with lease {0}", Long.toString(epoch));
        changes.execute(() -> begin(lease));
    }

    private void begin(Lease lease) {
        if (lease.restored()) {
            decided.complete(null); // to ask every node takes as long as the last of them is away
        }
        try {
            if (leader.lead(lease.epoch(), LeaseStore.fence(lease.epoch(), self), lease.restored()) && lease.restored()) {
                store.reconciled(lease);
            }
        } catch (RuntimeException | Error failure) {
            LOG.log(Level.ERROR, "leading could not begin, and is tried again", failure);
            failed = lease.epoch();
        } finally {
            decided.complete(null);
        }
    }

    /** Its rows would be waited for otherwise, by all who write to them. */
    private void cutOff(String other) {
        try {
            lane.cutOff(other);
        } catch (RuntimeException refused) {
            LOG.log(Level.WARNING, "the connections of the server that led could not be ended: {0}", refused.getMessage());
        }
    }

    private void notKept(DatabaseException why) {
        if (!away) {
            LOG.log(Level.WARNING, "the lease cannot be kept: {0}", why.getMessage());
        }
        away = true;
        if (mine.isPresent() && database.shared() && expired()) {
            lose("it could not be renewed for " + time.toSeconds() + " s");
        }
    }

    private void lose(String why) {
        LOG.log(Level.WARNING, "this server leads no more, its lease {0} is over: {1}", Long.toString(mine.orElseThrow().epoch()), why);
        mine = Optional.empty();
        seen = Optional.empty();
        leader.stepDown();
        changes.execute(leader::follow);
    }

    private void pause() {
        try {
            stop.tryAcquire(time.toMillis() / RENEWALS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            closed = true;
        }
    }

    /** Ends leading in good order, and lets another server lead at once. */
    @Override
    public void close() {
        closed = true;
        stop.release();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        leader.stepDown();
        changes.execute(leader::follow);
        changes.close();
        try {
            mine.ifPresent(store::giveBack);
        } catch (DatabaseException gone) {
            LOG.log(Level.INFO, "the lease could not be given back; it runs out: {0}", gone.getMessage());
        }
        lane.close();
    }
}
