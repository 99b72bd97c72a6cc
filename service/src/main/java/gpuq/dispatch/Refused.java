package gpuq.dispatch;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/** What was asked for was not accepted, and nothing was changed. The message is a sentence for the user. */
public abstract sealed class Refused extends RuntimeException {

    private Refused(String message) {
        super(message);
    }

    /** Another server leads, or none yet. */
    public static final class NotLeading extends Refused {
        public NotLeading(String why) {
            super(why);
        }

        static NotLeading but(Optional<String> leader) {
            return new NotLeading(leader.map(address -> "another server leads this queue: ask %s, or send it again in a moment".formatted(address))
                    .orElse("no server leads this queue at the moment; one will within seconds: send it again in a moment"));
        }
    }

    /** The node that was asked for is not in the configuration. */
    public static final class UnknownNode extends Refused {
        public UnknownNode(int node) {
            super("node_id: there is no node %d; GET /api/nodes lists them".formatted(node));
        }
    }

    /** No node has ever said that it has this competition's data. */
    public static final class UnknownCompetition extends Refused {
        /** @param wanted the node that was asked for */
        public UnknownCompetition(String competition, OptionalInt wanted) {
            super("competition_id: %s the data of '%s'"
                    .formatted(wanted.isPresent() ? "node %d does not have".formatted(wanted.getAsInt()) : "no node has", competition));
        }
    }

    /** More slots than any node with the competition's data has. */
    public static final class TooManyGpus extends Refused {
        public TooManyGpus(int gpus, int most) {
            super("gpus: %d asked for, but the largest node that has the competition's data has %d".formatted(gpus, most));
        }
    }

    /** The competition is known, but no active node can take the job now. */
    public static final class NoActiveNode extends Refused {
        private final Duration retryAfter;

        public NoActiveNode(String message, Duration retryAfter) {
            super(message);
            this.retryAfter = retryAfter;
        }

        public Duration retryAfter() {
            return retryAfter;
        }
    }

    /** A node did not hear, or did not take, what it was told. */
    public static final class NodeSilent extends Refused {
        public NodeSilent(String message) {
            super(message);
        }
    }

    /** A node that answers cannot be given up. */
    public static final class NodeAnswers extends Refused {
        public NodeAnswers(String message) {
            super(message);
        }
    }

    /** The idempotency key was used before with another body. */
    public static final class KeyReused extends Refused {
        public KeyReused() {
            super("Idempotency-Key: it was used before with another body; use a new key for a new job");
        }
    }
}
