package gpuq.node;

import gpuq.node.Node.JournalPosition;
import gpuq.node.Node.Listing;
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
        List<Fields> records = Fields.parse(body);
        if (records.isEmpty()) {
            throw new Lie("journal: missing");
        }
        var journal = JOURNAL.matcher(records.getFirst().text("journal"));
        if (!journal.matches()) {
            throw new Lie("journal: '%s' is not a generation and an offset", Protocol.quotable(records.getFirst().text("journal")));
        }
        var position = new JournalPosition(journal.group(1), Long.parseLong(journal.group(2)));
        return new Listing(position, records.stream().skip(1).map(JobRecord::read).toList());
    }
}
