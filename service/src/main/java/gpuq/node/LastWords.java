package gpuq.node;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Listens to a standard error and keeps the last line of it, whatever the amount. One thread listens, any thread asks. */
final class LastWords {
    private static final int LONGEST = 500;
    private static final long PATIENCE_MS = 200;

    private final CountDownLatch silent = new CountDownLatch(1);
    private volatile String line = "";

    /** Blocks until the stream has ended. */
    void listen(InputStream err) {
        var text = new StringBuilder();
        try (err) {
            for (int c = err.read(); c >= 0; c = err.read()) {
                if (c != '\n' && text.length() < LONGEST) {
                    text.append((char) c);
                } else if (c == '\n' && !text.isEmpty()) {
                    line = Protocol.quotable(text.toString());
                    text.setLength(0);
                }
            }
        } catch (IOException e) {
            // closed under us: there is no more to hear
        }
        if (!text.isEmpty()) {
            line = Protocol.quotable(text.toString());
        }
        silent.countDown();
    }

    /** In brackets behind a space, empty when there are none. Waits a moment for what somebody says who has just ended. */
    String inBrackets() {
        try {
            silent.await(PATIENCE_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return line.isEmpty() ? "" : " (" + line + ")";
    }
}
