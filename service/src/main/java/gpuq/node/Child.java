package gpuq.node;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.commons.exec.CommandLine;
import org.apache.commons.exec.DefaultExecutor;
import org.apache.commons.exec.ExecuteStreamHandler;
import org.apache.commons.exec.ProcessDestroyer;

/**
 * One child process with its raw streams. The stream handler that commons-exec brings flushes a child's input only at the input's end, so a
 * conversation would wait for ever; this one hands the streams out as they are.
 *
 * <p>Reads from pipes hold an operating system thread, virtual or not, therefore platform threads read here.
 */
final class Child implements Channel, ExecuteStreamHandler, ProcessDestroyer {
    private final Duration grace;
    private final CompletableFuture<Process> process = new CompletableFuture<>();
    private final CountDownLatch unused = new CountDownLatch(1);
    private final LastWords lastWords = new LastWords();

    Child(Duration grace) {
        this.grace = grace;
    }

    /** Blocks until it has exited and nobody uses it any more. */
    void run(DefaultExecutor executor, CommandLine line, Map<String, String> environment) {
        try {
            executor.execute(line, environment);
        } catch (IOException | RuntimeException e) {
            process.completeExceptionally(e); // unless it had been started
        }
    }

    void awaitStart() throws IOException {
        try {
            process.get();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause().getMessage(), e.getCause());
        } catch (InterruptedException e) {
            process.thenRun(this::close);
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while it was started");
        }
    }

    @Override
    public OutputStream in() {
        return process.join().getOutputStream();
    }

    @Override
    public InputStream out() {
        return process.join().getInputStream();
    }

    @Override
    public Thread.Builder reader() {
        return Thread.ofPlatform().daemon();
    }

    @Override
    public String lastWords() {
        return lastWords.inBrackets();
    }

    /** Closing its input ends it; if not, killing it does. Only it: the jobs that it started are not its own. */
    @Override
    public void close() {
        unused.countDown();
        Process running = process.join();
        Thread.ofVirtual().start(() -> {
            try {
                running.getOutputStream().close(); // waits for whoever is blocked in a write, until the kill
            } catch (IOException e) {
                // it has ended already
            }
        });
        running.onExit().orTimeout(grace.toMillis(), TimeUnit.MILLISECONDS).exceptionally(late -> running.destroyForcibly());
    }

    @Override
    public void setProcessErrorStream(InputStream err) {
        reader().name("gpuq-child-stderr").start(() -> lastWords.listen(err));
    }

    @Override
    public void setProcessInputStream(OutputStream in) {}

    @Override
    public void setProcessOutputStream(InputStream out) {}

    @Override
    public void start() {}

    /** Called when it has exited, before its streams are closed: what it said last is still to be read. */
    @Override
    public void stop() throws IOException {
        try {
            unused.await();
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
    }

    @Override
    public boolean add(Process started) {
        return process.complete(started);
    }

    @Override
    public boolean remove(Process ended) {
        return true;
    }

    @Override
    public int size() {
        return 1;
    }
}
