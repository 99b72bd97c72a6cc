package gpuq.node;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The latest attempt that a node knows of each of these jobs; those that it never had are left out. */
record LatestCommand(Set<UUID> jobs) implements Command<Map<UUID, Integer>> {
    private static final Pattern KNOWN = Pattern.compile("known (" + Protocol.JOB + ") ([1-9][0-9]{0,8})");
    private static final int LONGEST_LINE = 64;

    @Override
    public List<String> words() {
        return List.of("latest");
    }

    @Override
    public List<byte[]> payload() {
        return List.of(jobs.stream().map(job -> job + "\n").collect(Collectors.joining()).getBytes(StandardCharsets.US_ASCII));
    }

    /** A line for each at most. */
    @Override
    public int limit() {
        return jobs.size() * LONGEST_LINE;
    }

    @Override
    public Map<UUID, Integer> read(byte[] body) {
        Map<UUID, Integer> latest = new HashMap<>();
        new String(body, StandardCharsets.UTF_8).lines().forEach(line -> {
            var known = KNOWN.matcher(line);
            if (!known.matches()) {
                throw new Lie("'%s' is no job and its attempt", Protocol.quotable(line));
            }
            UUID job = Protocol.job(known.group(1));
            if (!jobs.contains(job) || latest.put(job, Integer.parseInt(known.group(2))) != null) {
                throw new Lie("it speaks twice of job %s, or was not asked about it", job);
            }
        });
        return latest;
    }
}
