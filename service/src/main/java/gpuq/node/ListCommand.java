package gpuq.node;

import gpuq.node.Node.JournalPosition;
import gpuq.node.Node.Listing;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Everything that is on a node and not released, and where its journal is. */
record ListCommand() implements Command<Listing> {
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
                jobs.add(JobRecord.read(record));
            }
        });
        if (positions.isEmpty()) {
            throw new Lie("journal: missing");
        }
        return new Listing(positions.getFirst(), jobs);
    }

    private static JournalPosition position(Fields first) {
        var journal = JOURNAL.matcher(first.text("journal"));
        if (!journal.matches()) {
            throw new Lie("journal: '%s' is not a generation and an offset", Protocol.quotable(first.text("journal")));
        }
        return new JournalPosition(journal.group(1), Long.parseLong(journal.group(2)));
    }
}
