package gpuq.node;

import java.util.List;
import java.util.UUID;

/** Lets a node forget an ended job: the server has its end and its files. */
record ReleaseCommand(UUID job, int attempt) implements Command<Boolean> {

    @Override
    public List<String> words() {
        return List.of("release", job.toString(), Integer.toString(attempt));
    }

    @Override
    public Boolean read(byte[] body) {
        return true;
    }
}
