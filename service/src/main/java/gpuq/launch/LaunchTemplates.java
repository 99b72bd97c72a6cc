package gpuq.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuq.job.Job;
import gpuq.node.Bundle;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Renders what a node gets for a job. A launch script is a prologue, rendered, and a body, byte for byte. All templates are read at
 * the start, so a name can only ever choose among them. Any thread may call.
 */
public final class LaunchTemplates {
    private static final Pattern BODY = Pattern.compile("([a-z][a-z0-9-]*)\\.sh");

    private final Prologue prologue;
    private final SortedMap<String, byte[]> bodies = new TreeMap<>();

    /** @param directory {@code templates/launch} @throws UncheckedIOException when it or its prologue cannot be read */
    public LaunchTemplates(Path directory) {
        prologue = new Prologue(directory);
        try (var files = Files.newDirectoryStream(directory, "*.sh")) {
            for (Path file : files) {
                var name = BODY.matcher(file.getFileName().toString());
                if (name.matches()) {
                    bodies.put(name.group(1), Files.readAllBytes(file));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the launch templates in %s cannot be read".formatted(directory), e);
        }
    }

    /** The templates that there are, such as {@code process}. */
    public Set<String> names() {
        return Collections.unmodifiableSet(bodies.keySet());
    }

    /**
     * The job's files: {@code job}, {@code launch.sh} and {@code solution.py}.
     *
     * @param template the node's own choice, such as {@code process}
     * @throws IllegalArgumentException when there is no such template, or a fact of the job holds control characters
     */
    public Bundle bundle(Job job, String template, String code) {
        byte[] body = bodies.get(template);
        if (body == null) {
            throw new IllegalArgumentException(
                    "job %s: there is no launch template '%s'; there are: %s".formatted(job.id(), template, String.join(", ", bodies.keySet())));
        }
        SequencedMap<String, String> facts = Facts.of(job, template);
        var files = new LinkedHashMap<String, byte[]>();
        files.put("job", Facts.record(facts).getBytes(UTF_8));
        files.put("launch.sh", script(facts, body));
        files.put("solution.py", code.getBytes(UTF_8));
        return new Bundle(job.id(), job.attempt(), files);
    }

    private byte[] script(SequencedMap<String, String> facts, byte[] body) {
        var script = new ByteArrayOutputStream();
        script.writeBytes(prologue.render(facts).getBytes(UTF_8));
        script.write('\n');
        script.writeBytes(body);
        return script.toByteArray();
    }
}
