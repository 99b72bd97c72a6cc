package gpuq.job;

import java.util.Optional;

/**
 * A change of a job's row, and the one place that says which changes are allowed:
 *
 * <ul>
 *   <li>what was submitted never changes, an ended job never changes, and each change is one version;
 *   <li>the state either stays exactly as it is (so that a wish to cancel can be recorded) or goes where {@link State#mayBecome} allows;
 *   <li>once a job has been sent, the attempt belongs to its node: it goes back to be placed only as a new attempt, and a new attempt
 *       only begins by being placed, or by waiting to be;
 *   <li>a wish to cancel is not taken back while the job lives.
 * </ul>
 */
record Move(Job from, Job to) {

    /** What is wrong with the change, if anything is. */
    Optional<String> fault() {
        boolean sameAttempt = to.attempt() == from.attempt();
        if (!to.id().equals(from.id()) || !to.submission().equals(from.submission()) || !to.createdAt().equals(from.createdAt())) {
            return fault("what was submitted never changes");
        }
        if (from.ended()) {
            return fault("an ended job never changes");
        }
        if (to.version() != from.version() + 1) {
            return fault("a change is one version");
        }
        if (!sameAttempt && to.attempt() != from.attempt() + 1) {
            return fault("attempts are counted one by one");
        }
        if (!(sameAttempt && to.state().equals(from.state())) && !from.state().mayBecome(to.state())) {
            return fault("the state machine does not know this way");
        }
        if (!sameAttempt && !toBePlaced(to.state())) {
            return fault("a new attempt begins by being placed");
        }
        if (sameAttempt && given(from.state()) && toBePlaced(to.state())) {
            return fault("what has been sent is placed again only as a new attempt");
        }
        if (sameAttempt && given(to.state()) && !to.state().node().equals(from.state().node())) {
            return fault("an attempt stays on its node");
        }
        if (from.cancelRequested().isPresent() && !to.ended() && !to.cancelRequested().equals(from.cancelRequested())) {
            return fault("a wish to cancel is kept");
        }
        return Optional.empty();
    }

    private Optional<String> fault(String rule) {
        return Optional.of("job %s, attempt %d: not from %s to %s (attempt %d): %s"
                .formatted(from.id(), from.attempt(), from.state(), to.state(), to.attempt(), rule));
    }

    private static boolean toBePlaced(State state) {
        return state instanceof State.Placed || state instanceof State.Unplaced;
    }

    /** Whether a node may have it. */
    private static boolean given(State state) {
        return state instanceof State.Sent || state instanceof State.Waiting || state instanceof State.Running;
    }
}
