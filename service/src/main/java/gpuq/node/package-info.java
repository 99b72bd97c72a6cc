/** Conversations with nodes, as {@code docs/node-protocol.md} lays down. One remote command is one class. */
@NullMarked
package gpuq.node;

import org.jspecify.annotations.NullMarked;
