package gpuq.node;

import java.util.SequencedMap;
import java.util.UUID;

/** The payload of a {@code submit}: the job's files by name, in order. */
public record Bundle(UUID job, int attempt, SequencedMap<String, byte[]> files) {}
