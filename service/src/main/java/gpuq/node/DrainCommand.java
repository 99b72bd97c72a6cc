package gpuq.node;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** Lets the node start no more jobs. @param reason one line of text, 1 to 500 bytes */
record DrainCommand(String reason) implements NodeCommand {

    @Override
    public List<String> words() {
        return List.of("drain");
    }

    @Override
    public List<byte[]> payload() {
        return List.of(reason.getBytes(StandardCharsets.UTF_8));
    }
}
