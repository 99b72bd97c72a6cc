package gpuq.node;

/** A command that is answered with the node's record. */
sealed interface NodeCommand extends Command<NodeRecord> permits InfoCommand, DrainCommand, ResumeCommand {

    /** Some 10,000 competitions. */
    @Override
    default int limit() {
        return MIB;
    }

    @Override
    default NodeRecord read(byte[] body) {
        return NodeRecord.read(Fields.single(body));
    }
}
