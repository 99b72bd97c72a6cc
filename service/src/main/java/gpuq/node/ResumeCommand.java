package gpuq.node;

import java.util.List;

/** Lets the node start jobs again after a drain. */
record ResumeCommand() implements Command<NodeRecord> {

    @Override
    public List<String> words() {
        return List.of("resume");
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
