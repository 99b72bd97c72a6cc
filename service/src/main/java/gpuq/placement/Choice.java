package gpuq.placement;

/** Where a job may go, or why it may go nowhere. */
public sealed interface Choice {

    record On(int node) implements Choice {}

    /** The node that the job wants is none of ours. */
    record NoSuchNode() implements Choice {}

    /** Every node has spoken, and none has the competition's data. */
    record NobodyHasTheData() implements Choice {}

    /** @param most slots of the largest node that has the data */
    record TooLarge(int most) implements Choice {}

    /**
     * @param why one sentence: which nodes have the data and what keeps them from taking work
     * @param soon whether that is likely to change within seconds: a node has not spoken since the server was started
     */
    record NobodyActive(String why, boolean soon) implements Choice {}
}
