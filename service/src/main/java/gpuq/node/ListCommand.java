package gpuq.node;

import gpuq.node.Node.JournalPosition;
import gpuq.node.Node.Listing;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Everything that is on a node and not released, and where its journal is. */
record ListCommand() implements Command<Listing> {
    private static final Logger LOG = System.getLogger(ListCommand.class.getName());
    private static final Pattern JOURNAL = Pattern.compile("(" + Protocol.WORD + ") (\\d{1,18})");

    @Override
    public List<String> words() {
        return List.of("list");
    }

    /** Some 60,000 jobs. */
    @Override
    public int limit() {
        return 32 * MIB;
    }

    @Override
    public Listing read(byte[] body) {
        var positions = new ArrayList<JournalPosition>(1);
        var jobs = new ArrayList<JobRecord>();
        Fields.each(body, record -> {
            if (positions.isEmpty()) {
                positions.add(position(record));
            } else {
                job(record).ifPresent(jobs::add);
            }
        });
        if (positions.isEmpty()) {
            throw new Lie("journal: missing");
        }
        return new Listing(positions.getFirst(), jobs);
    }

    /** One that a job has spoilt shall not hide the others. */
    private static Optional<JobRecord> job(Fields record) {
        try {
            return Optional.of(JobRecord.read(record));
        } catch (Lie lie) {
            LOG.log(Level.WARNING, "a record in a node''s list is not as the protocol says, and left out: {0}", lie.getMessage());
            return Optional.empty();
        }
    }

    private static JournalPosition position(Fields first) {
        first.checkLines();
        var journal = JOURNAL.matcher(first.text("journal"));
        if (!journal.matches()) {
            throw new Lie("journal: '%s' is not a generation and an offset", Protocol.quotable(first.text("journal")));
        }
        return new JournalPosition(journal.group(1), Long.parseLong(journal.group(2)));
    }
}
