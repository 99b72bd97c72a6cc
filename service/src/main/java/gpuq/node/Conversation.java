package gpuq.node;

import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The {@code serve} channel: commands in, answers out, in order and pipelined. Any thread may {@link #ask}; one thread writes, one reads.
 *
 * <p>A conversation ends once and for everybody: when its channel ends, when the node says anything that the protocol does not allow, or when the
 * answer that is next does not come in time. Whoever still waits then gets {@link NodeUnreachable}, because nobody knows what the node has done.
 */
final class Conversation implements AutoCloseable {
    private static final Pattern ANSWER = Pattern.compile("(\\d{1,18}) (\\d{1,3}) (\\d{1,9})");
    private static final int LONGEST_HEADER = 64;
    private static final int LONGEST_REFUSAL = 4096;

    private record Answer(int code, byte[] body) {}

    private record Turn(long tag, Command<?> command, CompletableFuture<Answer> answer) {}

    private static final Turn LAST = new Turn(0, new InfoCommand(), new CompletableFuture<>());

    private final String node;
    private final Channel channel;
    private final long epoch;
    private final Deadlines deadlines;
    private final CompletableFuture<Greeting> greeting = new CompletableFuture<>();
    private final BlockingQueue<Turn> unsent = new LinkedBlockingQueue<>();

    private final ReentrantLock lock = new ReentrantLock();
    private final Queue<Turn> unanswered = new ArrayDeque<>();
    private long tags;
    private Duration patience = Duration.ZERO; // with the answer that is next
    private long turnBegan;
    private @Nullable NodeUnreachable end;

    private Conversation(String node, Channel channel, long epoch, Deadlines deadlines) {
        this.node = node;
        this.channel = channel;
        this.epoch = epoch;
        this.deadlines = deadlines;
    }

    /**
     * Opens a channel and waits for the node's greeting.
     *
     * @param epoch of the sender's lease
     */
    static Conversation open(String node, Transport transport, long epoch, Deadlines deadlines) {
        Channel channel;
        try {
            channel = transport.open(List.of("serve"));
        } catch (IOException e) {
            throw new NodeUnreachable("node %s: %s".formatted(node, e.getMessage()), e);
        }
        var conversation = new Conversation(node, channel, epoch, deadlines);
        channel.reader().name("gpuq-node-" + node + "-answers").start(conversation::read);
        Thread.ofVirtual().name("gpuq-node-" + node + "-commands").start(conversation::write);
        try {
            conversation.greeting.get(deadlines.opening().toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw conversation.end("no greeting within " + Protocol.seconds(deadlines.opening()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw conversation.end("interrupted while waiting for its greeting");
        } catch (ExecutionException e) {
            throw NodeUnreachable.again(e.getCause());
        }
        return conversation;
    }

    Greeting greeting() {
        return greeting.join();
    }

    boolean over() {
        lock.lock();
        try {
            return end != null;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Has the node carry out a command.
     *
     * @throws NodeUnreachable when no readable answer came
     * @throws NodeRefused when the node said no
     */
    <T> T ask(Command<T> command) {
        Answer answer = await(enqueue(command));
        if (answer.code() != 0) {
            throw new NodeRefused(answer.code(), Protocol.quotable(Incoming.text(answer.body())));
        }
        try {
            return command.read(answer.body());
        } catch (Lie lie) {
            throw new NodeUnreachable("node %s: the answer to '%s' is not as the protocol says: %s"
                    .formatted(node, String.join(" ", command.words()), lie.getMessage()), lie);
        }
    }

    private Turn enqueue(Command<?> command) {
        lock.lock();
        try {
            if (end != null) {
                throw NodeUnreachable.again(end);
            }
            var turn = new Turn(++tags, command, new CompletableFuture<>());
            unanswered.add(turn);
            if (unanswered.size() == 1) {
                expect(command.size());
            }
            unsent.add(turn);
            return turn;
        } finally {
            lock.unlock();
        }
    }

    private Answer await(Turn turn) {
        try {
            while (true) {
                try {
                    return turn.answer().get(untilOverdue(), TimeUnit.NANOSECONDS);
                } catch (TimeoutException e) {
                    endIfOverdue();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NodeUnreachable("node %s: interrupted while waiting for the answer to '%s'"
                    .formatted(node, String.join(" ", turn.command().words())), e);
        } catch (ExecutionException e) {
            throw NodeUnreachable.again(e.getCause());
        }
    }

    /** A piece of the answer is about to come. */
    private void hears(int piece) {
        lock.lock();
        try {
            expect(piece);
        } finally {
            lock.unlock();
        }
    }

    /** From now on the next answer, or the rest of it, has its time. Under the lock. @param bytes that have to be on the way before */
    private void expect(long bytes) {
        turnBegan = System.nanoTime();
        patience = deadlines.answer(bytes);
    }

    /** Everybody who waits keeps an eye on the answer that is next, so no thread is needed for it. */
    private long untilOverdue() {
        lock.lock();
        try {
            return patience.toNanos() - (System.nanoTime() - turnBegan);
        } finally {
            lock.unlock();
        }
    }

    private void endIfOverdue() {
        lock.lock();
        try {
            Turn next = unanswered.peek();
            if (next != null && untilOverdue() <= 0) {
                end("no answer to '%s' within %s".formatted(
                        String.join(" ", next.command().words()), Protocol.seconds(patience)));
            }
        } finally {
            lock.unlock();
        }
    }

    private void write() {
        try {
            var out = new BufferedOutputStream(channel.in(), 16 * 1024);
            while (true) {
                Turn turn = unsent.poll();
                if (turn == null) {
                    out.flush();
                    turn = unsent.take();
                }
                if (turn == LAST) {
                    return;
                }
                turn.command().write(turn.tag(), epoch, out);
            }
        } catch (IOException | InterruptedException | RuntimeException e) {
            end("it takes no more commands" + channel.lastWords());
        }
    }

    private void read() {
        try {
            var in = new Incoming(channel.out());
            greeting.complete(Greeting.read(in, "serve"));
            while (true) {
                hear(in);
            }
        } catch (EOFException e) {
            end("the conversation ended" + channel.lastWords());
        } catch (IOException | RuntimeException e) {
            end(String.valueOf(e.getMessage()));
        }
    }

    private void hear(Incoming in) throws IOException {
        String line = in.line(LONGEST_HEADER);
        var header = ANSWER.matcher(line);
        lock.lock();
        Turn turn;
        try {
            turn = unanswered.peek();
        } finally {
            lock.unlock();
        }
        if (turn == null || !header.matches() || Long.parseLong(header.group(1)) != turn.tag()) {
            throw new Lie("'%s' instead of an answer", Protocol.quotable(line));
        }
        int code = Integer.parseInt(header.group(2));
        int length = Integer.parseInt(header.group(3));
        if (length > (code == 0 ? turn.command().limit() : LONGEST_REFUSAL)) {
            throw new Lie("an answer of %d bytes to '%s'", length, String.join(" ", turn.command().words()));
        }
        var answer = new Answer(code, in.bytes(length, this::hears));
        lock.lock();
        try {
            unanswered.poll();
            Optional.ofNullable(unanswered.peek()).ifPresent(next -> expect(next.command().size()));
        } finally {
            lock.unlock();
        }
        turn.answer().complete(answer);
    }

    private NodeUnreachable end(String why) {
        lock.lock();
        try {
            if (end != null) {
                return end;
            }
            end = new NodeUnreachable("node %s: %s".formatted(node, why));
            greeting.completeExceptionally(end);
            unanswered.forEach(turn -> turn.answer().completeExceptionally(end));
            unanswered.clear();
            unsent.clear();
            unsent.add(LAST);
            return end;
        } finally {
            lock.unlock();
            channel.close();
        }
    }

    @Override
    public void close() {
        end("the server closed the conversation");
    }
}
