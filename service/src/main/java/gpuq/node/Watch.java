package gpuq.node;

import gpuq.node.Node.Bell;
import gpuq.node.Node.JournalPosition;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The {@code watch} channel: lines that say <em>look</em>. One thread reads, the one that {@linkplain #follow follows} hands the bells over and
 * notices silence; a node that talks faster than its bells are heard is made to wait.
 */
final class Watch implements AutoCloseable {
    private static final int LONGEST_LINE = 1024;
    private static final Pattern JOURNAL = Pattern.compile("journal (%s) (\\d{1,18})".formatted(Protocol.WORD));
    private static final Pattern EVENT = Pattern.compile(
            "event (%s) (\\d{1,18}) (%s) (\\d{1,9}) (\\d{1,18}) (waiting|starting|running|ended)".formatted(Protocol.WORD, Protocol.JOB));

    private sealed interface Heard {
        record Line(String text) implements Heard {}

        record End(String why) implements Heard {}
    }

    private final String node;
    private final Channel channel;
    private final Deadlines deadlines;
    private final BlockingQueue<Heard> heard = new ArrayBlockingQueue<>(1024);
    private final Thread reader;
    private JournalPosition position;

    Watch(String node, Channel channel, JournalPosition from, Deadlines deadlines) {
        this.node = node;
        this.channel = channel;
        this.position = from;
        this.deadlines = deadlines;
        this.reader = channel.reader().name("gpuq-node-" + node + "-bells").unstarted(this::read);
    }

    static List<String> words(JournalPosition from, Deadlines deadlines) {
        String position = Protocol.word(from.generation() + ":" + from.offset());
        return List.of("watch", "--from", position, "--beat", Long.toString(deadlines.beat().toSeconds()));
    }

    /** Blocks. @throws NodeUnreachable at the end, always: it ended, was silent, said what the protocol does not allow, or was closed */
    void follow(Consumer<Bell> bell) {
        reader.start();
        Duration patience = deadlines.opening();
        try (this) {
            while (true) {
                switch (heard.poll(patience.toNanos(), TimeUnit.NANOSECONDS)) {
                    case null -> throw unreachable("its watch has been silent for " + Protocol.seconds(patience));
                    case Heard.End(String why) -> throw unreachable(why);
                    case Heard.Line(String line) -> understand(line).ifPresent(bell);
                }
                patience = deadlines.silence();
            }
        } catch (Lie lie) {
            throw unreachable(lie.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unreachable("interrupted while watching");
        }
    }

    private void read() {
        try {
            try {
                var in = new Incoming(channel.out());
                Greeting.read(in, "watch");
                while (true) {
                    heard.put(new Heard.Line(in.line(LONGEST_LINE)));
                }
            } catch (EOFException e) {
                heard.put(new Heard.End("its watch ended" + channel.lastWords()));
            } catch (IOException | RuntimeException e) {
                heard.put(new Heard.End(String.valueOf(e.getMessage())));
            }
        } catch (InterruptedException e) {
            // nobody listens any more
        }
    }

    private Optional<Bell> understand(String line) {
        return switch (line.split(" ", 2)[0]) {
            case "journal" -> {
                Matcher words = match(JOURNAL, line);
                var begin = new JournalPosition(words.group(1), Long.parseLong(words.group(2)));
                boolean gap = !begin.equals(position);
                position = begin;
                yield gap ? Optional.of(new Bell.Gap(begin)) : Optional.empty();
            }
            case "event" -> {
                Matcher words = match(EVENT, line);
                position = new JournalPosition(words.group(1), Long.parseLong(words.group(2)));
                yield Optional.of(new Bell.Event(position, Protocol.job(words.group(3)), Integer.parseInt(words.group(4)),
                        Long.parseLong(words.group(5)), JobRecord.Phase.valueOf(words.group(6).toUpperCase(Locale.ROOT))));
            }
            case "beat" -> Optional.of(new Bell.Beat(position));
            default -> Optional.empty(); // from a node that knows more than we do
        };
    }

    private static Matcher match(Pattern kind, String line) {
        Matcher matcher = kind.matcher(line);
        if (!matcher.matches()) {
            throw new Lie("its watch said '%s'", Protocol.quotable(line));
        }
        return matcher;
    }

    private NodeUnreachable unreachable(String why) {
        return new NodeUnreachable("node %s: %s".formatted(node, why));
    }

    /** Any thread. */
    @Override
    public void close() {
        heard.clear();
        heard.offer(new Heard.End("the server closed the watch"));
        reader.interrupt();
        channel.close();
    }
}
