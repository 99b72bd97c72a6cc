package gpuq.api;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Collects everything that is wrong with one request, so that its sender hears of it all at once. */
final class Faults {
    private static final int MOST = 20;
    private static final int LONGEST_NAME = 64;
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cntrl}\\p{Cs}\\p{Cf}\u2028\u2029]");

    private final List<Fault> faults = new ArrayList<>();

    void add(String field, String rule, Object... values) {
        if (faults.size() < MOST) {
            faults.add(new Fault(shown(field), rule.formatted(values)));
        }
    }

    boolean none() {
        return faults.isEmpty();
    }

    List<Fault> all() {
        return List.copyOf(faults);
    }

    /** @throws Problem 400 if there is any */
    void refuse() {
        if (!none()) {
            throw Problem.badRequest(faults);
        }
    }

    /** A stranger's word as it may be shown: short, and without control characters. */
    static String shown(String word) {
        String clean = UNPRINTABLE.matcher(word).replaceAll("?");
        return clean.length() <= LONGEST_NAME ? clean : clean.substring(0, LONGEST_NAME) + "…";
    }
}
