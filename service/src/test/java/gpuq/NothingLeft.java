package gpuq;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Ends what a test has left behind in its folder before JUnit removes that. A node outlives its server, as it should; but one that
 * still writes while its spool is being removed makes the removal, and with it the test, fail.
 */
public final class NothingLeft implements AfterEachCallback, AfterAllCallback {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @Override
    public void afterEach(ExtensionContext test) {
        AnnotationSupport.findAnnotatedFieldValues(test.getRequiredTestInstance(), TempDir.class, Path.class).forEach(NothingLeft::end);
    }

    @Override
    public void afterAll(ExtensionContext tests) {
        AnnotationSupport.findAnnotatedFieldValues(tests.getRequiredTestClass(), TempDir.class, Path.class).forEach(NothingLeft::end);
    }

    /** One that dies may have begun another a moment before, so it is looked until nothing is found. */
    private static void end(Path folder) {
        Eventually.holds("nothing is left in " + folder, PATIENCE, () -> {
            List<ProcessHandle> left = ProcessHandle.allProcesses().filter(process -> isIn(folder.toString(), process)).toList();
            left.forEach(ProcessHandle::destroyForcibly);
            return left.isEmpty();
        });
    }

    private static boolean isIn(String folder, ProcessHandle process) {
        Path about = Path.of("/proc", Long.toString(process.pid()));
        return process.pid() != ProcessHandle.current().pid()
                && (contains(folder, about.resolve("cmdline")) || contains(folder, about.resolve("environ")) || opens(folder, about));
    }

    private static boolean contains(String folder, Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(folder);
        } catch (IOException gone) {
            return false;
        }
    }

    private static boolean opens(String folder, Path about) {
        try (Stream<Path> descriptors = Files.list(about.resolve("fd"))) {
            return Stream.concat(descriptors, Stream.of(about.resolve("cwd"))).anyMatch(link -> leadsTo(folder, link));
        } catch (IOException | UncheckedIOException gone) {
            return false;
        }
    }

    private static boolean leadsTo(String folder, Path link) {
        try {
            return Files.readSymbolicLink(link).startsWith(folder);
        } catch (IOException gone) {
            return false;
        }
    }
}
