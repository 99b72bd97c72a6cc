package gpuq.node;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The processes that a test has started. */
final class Children {
    private Children() {}

    static void awaitNone() throws Exception {
        for (ProcessHandle child : ProcessHandle.current().children().toList()) {
            try {
                child.onExit().get(20, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                fail("still there: " + child.info());
            }
        }
    }

    static void kill() {
        ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
    }
}
