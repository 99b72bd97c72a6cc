package gpuq.node;

import java.util.List;

/** What a node says of itself. */
record InfoCommand() implements NodeCommand {

    @Override
    public List<String> words() {
        return List.of("info");
    }
}
