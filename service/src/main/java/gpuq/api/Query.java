package gpuq.api;

import io.helidon.common.uri.UriQuery;
import io.helidon.webserver.http.ServerRequest;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** The parameters of a request, strictly: a parameter that is not known, or is given twice, is a fault. */
final class Query {
    private final UriQuery query;
    private final Faults faults;

    Query(ServerRequest request, Faults faults, Set<String> known) {
        this.query = request.query();
        this.faults = faults;
        for (String name : query.names()) {
            if (!known.contains(name)) {
                faults.add(name, known.isEmpty()
                        ? "is not a parameter here; there is none"
                        : "is not a parameter here; there is " + String.join(", ", known.stream().sorted().toList()));
            }
        }
    }

    /** For a request that has no parameters. */
    static void none(ServerRequest request) {
        var faults = new Faults();
        new Query(request, faults, Set.of());
        faults.refuse();
    }

    /**
     * The value of a parameter.
     *
     * @param read gives nothing for a value that breaks the rule
     */
    <T> Optional<T> value(String name, Function<String, Optional<T>> read, String rule) {
        List<String> values = query.all(name, List::of);
        if (values.size() > 1) {
            faults.add(name, "is given more than once");
        }
        if (values.size() != 1) {
            return Optional.empty();
        }
        Optional<T> value = read.apply(values.getFirst());
        if (value.isEmpty()) {
            faults.add(name, "%s, got '%s'", rule, Faults.shown(values.getFirst()));
        }
        return value;
    }
}
