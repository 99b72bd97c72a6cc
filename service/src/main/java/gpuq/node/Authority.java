package gpuq.node;

import java.util.function.LongConsumer;

/**
 * In whose name a node is told something.
 *
 * @param epoch of the server's lease; a node that has seen a later one refuses
 * @param outbid told the later epoch of a node that greets with one
 */
public record Authority(long epoch, LongConsumer outbid) {}
