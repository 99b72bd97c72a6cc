package gpuq.node;

import java.util.List;

/** What a node says of itself. */
record InfoCommand() implements Command<NodeRecord> {

    @Override
    public List<String> words() {
        return List.of("info");
    }

    @Override
    public int limit() {
        return MIB;
    }

    @Override
    public NodeRecord read(byte[] body) {
        return NodeRecord.read(Fields.single(body));
    }
}
