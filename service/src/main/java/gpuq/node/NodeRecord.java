package gpuq.node;

import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a node says of itself: the answer to {@code info}. */
public record NodeRecord(
        String spool,
        String boot,
        String version,
        int slots,
        int running,
        int waiting,
        Optional<String> template,
        Optional<String> drain,
        Set<String> competitions) {

    /** What a job may name; a folder called anything else is no competition. */
    private static final Pattern COMPETITION = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    static NodeRecord read(Fields fields) {
        return new NodeRecord(
                fields.text("spool"),
                fields.text("boot"),
                fields.text("version"),
                fields.count("slots", 0),
                fields.count("running", 0),
                fields.count("waiting", 0),
                fields.maybeText("template"),
                fields.maybe("drain").map(Protocol::quotable),
                fields.all("competition").stream().filter(COMPETITION.asMatchPredicate()).collect(Collectors.toUnmodifiableSet()));
    }
}
