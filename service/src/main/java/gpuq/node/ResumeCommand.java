package gpuq.node;

import java.util.List;

/** Lets the node start jobs again after a drain. */
record ResumeCommand() implements NodeCommand {

    @Override
    public List<String> words() {
        return List.of("resume");
    }
}
