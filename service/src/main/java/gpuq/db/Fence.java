package gpuq.db;

/** Who may write: asked in every writing transaction, just before it is committed. */
@FunctionalInterface
public interface Fence {
    /** @throws NotLeading if what was written must not be committed */
    void check(Statements tx);
}
