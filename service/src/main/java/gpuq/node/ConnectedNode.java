package gpuq.node;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A node behind a {@link Transport}. One conversation is kept open; when it has ended the next call opens another, and calls that come meanwhile
 * share the outcome. Nothing here retries or waits between attempts: that is for the caller, who knows what a command is worth.
 */
final class ConnectedNode implements Node {
    private final String name;
    private final Transport transport;
    private final Authority authority;
    private final Deadlines deadlines;

    private final Set<Watch> watches = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable CompletableFuture<Conversation> conversation;
    private boolean closed;

    ConnectedNode(String name, Transport transport, Authority authority, Deadlines deadlines) {
        this.name = name;
        this.transport = transport;
        this.authority = authority;
        this.deadlines = deadlines;
    }

    @Override
    public NodeRecord info() {
        return ask(new InfoCommand());
    }

    @Override
    public List<Check> doctor() {
        return ask(new DoctorCommand());
    }

    @Override
    public NodeRecord drain(String reason) {
        return ask(new DrainCommand(reason));
    }

    @Override
    public NodeRecord resume() {
        return ask(new ResumeCommand());
    }

    @Override
    public Listing list() {
        return ask(new ListCommand());
    }

    @Override
    public Map<UUID, Integer> latest(Set<UUID> jobs) {
        return ask(new LatestCommand(jobs));
    }

    @Override
    public JobRecord status(UUID job, int attempt) {
        return ask(new StatusCommand(job, attempt));
    }

    @Override
    public JobRecord submit(Bundle bundle) {
        return ask(new SubmitCommand(bundle));
    }

    @Override
    public JobRecord cancel(UUID job, int attempt) {
        return ask(new CancelCommand(job, attempt));
    }

    @Override
    public JobRecord withdraw(UUID job, int attempt) {
        return ask(new WithdrawCommand(job, attempt));
    }

    @Override
    public byte[] fetch(UUID job, int attempt, String file, long offset, int count) {
        return ask(new FetchCommand(job, attempt, file, offset, count));
    }

    @Override
    public void release(UUID job, int attempt) {
        ask(new ReleaseCommand(job, attempt));
    }

    @Override
    public void watch(JournalPosition from, Consumer<Bell> bell) {
        Watch watch;
        try {
            watch = new Watch(name, transport.open(Watch.words(from, deadlines)), from, deadlines);
        } catch (IOException e) {
            throw new NodeUnreachable("node %s: %s".formatted(name, e.getMessage()), e);
        }
        watches.add(watch);
        try {
            if (closed()) {
                watch.close();
            }
            watch.follow(bell);
        } finally {
            watches.remove(watch);
        }
    }

    private <T> T ask(Command<T> command) {
        try {
            return conversation().get().ask(command);
        } catch (ExecutionException e) {
            throw NodeUnreachable.again(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NodeUnreachable("node %s: interrupted before '%s' was sent".formatted(name, command.words().getFirst()), e);
        }
    }

    /** The open conversation, or one that is being opened, on a thread of its own: whoever asked first may go away. */
    private CompletableFuture<Conversation> conversation() {
        lock.lock();
        try {
            if (closed) {
                throw new NodeUnreachable("node %s: the server has closed its connection".formatted(name));
            }
            if (conversation == null || over(conversation)) {
                conversation = CompletableFuture.supplyAsync(
                        this::opened,
                        task -> Thread.ofVirtual().name("gpuq-node-" + name + "-opening").start(task));
            }
            return conversation;
        } finally {
            lock.unlock();
        }
    }

    private Conversation opened() {
        Conversation open = Conversation.open(name, transport, authority.epoch(), deadlines);
        long obeyed = open.greeting().epoch();
        if (obeyed > authority.epoch()) {
            open.close();
            authority.outbid().accept(obeyed);
            throw new NodeUnreachable("node %s: it obeys a server with lease %d, and this one's is %d".formatted(name, obeyed, authority.epoch()));
        }
        return open;
    }

    private static boolean over(CompletableFuture<Conversation> conversation) {
        return switch (conversation.state()) {
            case RUNNING -> false;
            case SUCCESS -> conversation.resultNow().over();
            case FAILED, CANCELLED -> true;
        };
    }

    @Override
    public boolean closed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void hangUp() {
        present().ifPresent(conversation -> conversation.thenAccept(Conversation::close));
    }

    private Optional<CompletableFuture<Conversation>> present() {
        lock.lock();
        try {
            return Optional.ofNullable(conversation);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        hangUp();
        watches.forEach(Watch::close);
        transport.close();
    }
}
