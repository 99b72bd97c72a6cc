package gpuq.lease;

import gpuq.db.Database;
import gpuq.db.DuplicateKey;
import gpuq.db.Fence;
import gpuq.db.NotLeading;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The table with the one lease. Every change is a compare-and-set, so of two who take it one does. */
public final class LeaseStore {
    private final Database database;

    public LeaseStore(Database database) {
        this.database = database;
    }

    Optional<Lease> find() {
        return database.find("SELECT epoch, holder, address, beat, restored FROM lease WHERE lease_id = 1", Map.of(),
                row -> new Lease(row.whole("epoch"), row.text("holder"), row.text("address"), row.whole("beat"), row.flag("restored")));
    }

    /** @param seen as it was found; nothing if there was none yet @return whether it was still so */
    boolean take(Optional<Lease> seen, Lease mine) {
        return seen.map(old -> replaced(old, mine)).orElseGet(() -> inserted(mine));
    }

    private boolean inserted(Lease first) {
        try {
            return 1 == database.update("""
                    INSERT INTO lease (lease_id, epoch, holder, address, beat, restored)
                    VALUES (1, :epoch, :holder, :address, :beat, :restored)""", row(first));
        } catch (DuplicateKey another) {
            return false;
        }
    }

    private boolean replaced(Lease old, Lease mine) {
        Map<String, Object> row = row(mine);
        row.putAll(Map.of("old_epoch", old.epoch(), "old_holder", old.holder(), "old_beat", old.beat()));
        return 1 == database.update("""
                UPDATE lease SET epoch = :epoch, holder = :holder, address = :address, beat = :beat, restored = GREATEST(restored, :restored)
                WHERE lease_id = 1 AND epoch = :old_epoch AND holder = :old_holder AND beat = :old_beat""", row);
    }

    private static Map<String, Object> row(Lease lease) {
        return new HashMap<>(Map.of("epoch", lease.epoch(), "holder", lease.holder(), "address", lease.address(), "beat", lease.beat(),
                "restored", lease.restored() ? 1 : 0));
    }

    /** @return whether it was still the holder's, of this epoch, and no earlier than the holder knows it */
    boolean renew(Lease mine) {
        return 1 == database.update("UPDATE lease SET beat = beat + 1 WHERE lease_id = 1 AND epoch = :epoch AND holder = :holder AND beat >= :beat",
                Map.of("epoch", mine.epoch(), "holder", mine.holder(), "beat", mine.beat()));
    }

    /** For others to take at once. */
    void giveBack(Lease mine) {
        database.update("UPDATE lease SET holder = '', beat = beat + 1 WHERE lease_id = 1 AND epoch = :epoch AND holder = :holder",
                Map.of("epoch", mine.epoch(), "holder", mine.holder()));
    }

    /** Keeps that the database came from a backup: whoever leads next asks every node first. @return whether any server had ever led */
    public boolean restored() {
        return 1 == database.update("UPDATE lease SET restored = 1 WHERE lease_id = 1", Map.of());
    }

    /** Every node was asked. */
    void reconciled(Lease mine) {
        database.update("UPDATE lease SET restored = 0 WHERE lease_id = 1 AND epoch = :epoch AND holder = :holder",
                Map.of("epoch", mine.epoch(), "holder", mine.holder()));
    }

    /** Lets through what is written in this epoch, by this holder. */
    static Fence fence(long epoch, String holder) {
        return tx -> tx.find("SELECT epoch FROM lease WHERE lease_id = 1 AND epoch = :epoch AND holder = :holder",
                Map.of("epoch", epoch, "holder", holder), row -> row.whole("epoch")).orElseThrow(NotLeading::new);
    }
}
