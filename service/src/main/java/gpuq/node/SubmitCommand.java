package gpuq.node;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Hands a job over: a manifest ({@code file NAME SIZE} lines and an empty one), then the files' bytes in that order. */
record SubmitCommand(Bundle bundle) implements Command<JobRecord> {

    @Override
    public List<String> words() {
        return List.of("submit", bundle.job().toString(), Integer.toString(bundle.attempt()));
    }

    @Override
    public List<byte[]> payload() {
        var manifest = new StringBuilder();
        bundle.files().forEach((name, bytes) -> manifest.append("file %s %d\n".formatted(Protocol.word(name), bytes.length)));
        var parts = new ArrayList<byte[]>();
        parts.add(manifest.append('\n').toString().getBytes(StandardCharsets.US_ASCII));
        parts.addAll(bundle.files().values());
        return parts;
    }

    @Override
    public JobRecord read(byte[] body) {
        return JobRecord.read(body, bundle.job(), bundle.attempt());
    }
}
