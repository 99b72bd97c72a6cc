package gpuq.node;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.UUID;
import java.util.function.IntConsumer;

/** Measures round trips to a local node with the real scripts; run by hand. Nothing starts: the one slot is held. */
final class RoundTrips {
    public static void main(String[] args) throws Exception {
        Path folder = Files.createTempDirectory("round-trips");
        try (Node node = NodeLines.local("n7", Scripts.gpuq(), Scripts.configuration(folder, 1), RogueNode.AUTHORITY, Deadlines.USUAL).down()) {
            var first = UUID.randomUUID();
            node.submit(bundle(first));
            measure("status", 300, i -> node.status(first, 1));
            measure("info", 300, i -> node.info());
            measure("submit", 200, i -> node.submit(bundle(UUID.randomUUID())));
            measure("list of 201", 30, i -> node.list());
            node.cancel(first, 1);
            node.list().jobs().forEach(job -> node.cancel(job.job(), 1));
        }
    }

    private static Bundle bundle(UUID job) {
        var files = new LinkedHashMap<String, byte[]>();
        files.put("job", ("job %s\nattempt 1\norigin server\nuser sarang\ncompetition c\ntemplate process\ngpus 1\npriority 0\n"
                + "expected_time 60\ntime_limit 600\nsubmitted_at 1763400000123456\n").formatted(job).getBytes());
        files.put("launch.sh", "#!/usr/bin/env bash\nexec sleep 600\n".getBytes());
        files.put("solution.py", "print(1)\n".getBytes());
        return new Bundle(job, 1, files);
    }

    private static void measure(String what, int times, IntConsumer call) {
        long[] nanos = new long[times];
        for (int i = 0; i < times; i++) {
            long begin = System.nanoTime();
            call.accept(i);
            nanos[i] = System.nanoTime() - begin;
        }
        Arrays.sort(nanos);
        System.out.printf("%-12s median %.2f ms, p90 %.2f ms%n", what, nanos[times / 2] / 1e6, nanos[times * 9 / 10] / 1e6);
    }
}
