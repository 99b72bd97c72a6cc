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

    /** More than any host has, and few enough to reckon with. */
    private static final int MOST_SLOTS = 1024;

    static NodeRecord read(Fields fields) {
        fields.checkLines();
        return new NodeRecord(
                fields.name("spool"),
                fields.text("boot"),
                fields.name("version"),
                (int) fields.number("slots", 0, MOST_SLOTS),
                fields.count("running", 0),
                fields.count("waiting", 0),
                fields.maybeName("template"),
                fields.maybe("drain").map(Protocol::quotable),
                fields.all("competition").stream().filter(COMPETITION.asMatchPredicate()).collect(Collectors.toUnmodifiableSet()));
    }
}
