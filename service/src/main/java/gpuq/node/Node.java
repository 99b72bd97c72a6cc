package gpuq.node;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * One node as the server reaches it. Calls block, each with a deadline; any thread may call.
 *
 * <p>Every call throws {@link NodeUnreachable} when no answer came (the command may or may not have been carried out: send it again) and
 * {@link NodeRefused} when the node said no.
 */
public interface Node extends AutoCloseable {

    NodeRecord info();

    /** Looks for what keeps jobs from running there. May take a minute. */
    List<Check> doctor();

    /** Lets it start no more jobs. @param reason one line of text, 1 to 500 bytes in UTF-8 */
    NodeRecord drain(String reason);

    NodeRecord resume();

    Listing list();

    /** The latest attempt that it knows of each of these jobs, also of what is released or purged; those that it never had are left out. */
    Map<UUID, Integer> latest(Set<UUID> jobs);

    JobRecord status(UUID job, int attempt);

    /** Hands a job over. @return its record, once it is safely in the node's spool */
    JobRecord submit(Bundle bundle);

    JobRecord cancel(UUID job, int attempt);

    JobRecord withdraw(UUID job, int attempt);

    /** A piece of a job's file; empty at its end. @param file {@code results}, {@code stdout}, {@code stderr} or {@code solution} @param count at most 1 MiB */
    byte[] fetch(UUID job, int attempt, String file, long offset, int count);

    void release(UUID job, int attempt);

    /**
     * Follows the node's journal until the connection ends or this is closed. Blocks.
     *
     * @throws NodeUnreachable when the connection ended or was silent for too long
     */
    void watch(JournalPosition from, Consumer<Bell> bell);

    /** Ends the present conversation; the next call begins another, with whatever is behind the address by then. */
    void hangUp();

    /** Everything that is on the node and not released, with the journal position from which {@link #watch} goes on. */
    record Listing(JournalPosition position, List<JobRecord> jobs) {}

    /** Where one has read to in a node's journal. */
    record JournalPosition(String generation, long offset) {}

    /** One thing that jobs need. @param detail one sentence */
    record Check(String name, State state, String detail) {
        /** With a {@code FAIL} jobs would fail; {@code WARN} is for people. */
        public enum State { OK, WARN, FAIL }
    }

    /** What {@link #watch} hears. */
    sealed interface Bell {
        /** Something changed: look. */
        record Event(JournalPosition position, UUID job, int attempt, long seq, JobRecord.Phase phase) implements Bell {}

        /** The journal does not go on where we left off: list everything. */
        record Gap(JournalPosition position) implements Bell {}

        /** Nothing happened, the node is there. */
        record Beat(JournalPosition position) implements Bell {}
    }

    /** Whether it was closed: whoever holds it has nothing more to do, and nothing more to say of this node. */
    boolean closed();

    @Override
    void close();
}
