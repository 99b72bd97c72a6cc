package gpuq.sync;

import gpuq.job.Job;
import java.util.Collection;
import java.util.HashSet;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Everybody who waits for a job's end. A future that is completed or cancelled is forgotten at once. Any thread may call. */
public final class Endings {
    private final ConcurrentHashMap<UUID, Set<Waiter>> waiting = new ConcurrentHashMap<>();
    private volatile boolean stopped;

    /** @param seen the job as it was when the wait began */
    private record Waiter(Job seen, CompletableFuture<Job> ending) {}

    /**
     * Completes at the job's end, or with the unended job when the server stops.
     *
     * @param seen the job as it was a moment ago
     * @param present looks a job up, once the wait is known, so that an end in between is not missed
     */
    public CompletableFuture<Job> of(Job seen, Function<UUID, Job> present) {
        UUID id = seen.id();
        Waiter waiter = new Waiter(seen, new CompletableFuture<>());
        waiting.compute(id, (key, all) -> {
            Set<Waiter> waiters = all == null ? ConcurrentHashMap.newKeySet() : all;
            waiters.add(waiter);
            return waiters;
        });
        waiter.ending().whenComplete((job, failure) -> waiting.computeIfPresent(id, (key, all) -> {
            all.remove(waiter);
            return all.isEmpty() ? null : all;
        }));
        Job now = now(seen, present); // where the database is away, the next look finds what was missed
        if (now.ended() || stopped) {
            waiter.ending().complete(now);
        }
        return waiter.ending();
    }

    /** Whether somebody waits. */
    public boolean anybody() {
        return !waiting.isEmpty();
    }

    /** Answers all who wait for this job. */
    public void ended(Job job) {
        waiting.getOrDefault(job.id(), Set.of()).forEach(waiter -> waiter.ending().complete(job));
    }

    /**
     * Answers where the end was missed: the answer to a commit may be lost, and the end be committed all the same.
     *
     * @param unended all jobs that have not ended
     */
    public void look(Collection<Job> unended, Function<UUID, Job> present) {
        Set<UUID> overdue = new HashSet<>(waiting.keySet());
        unended.forEach(job -> overdue.remove(job.id()));
        overdue.forEach(id -> look(id, present));
    }

    private void look(UUID id, Function<UUID, Job> present) {
        try {
            Job job = present.apply(id);
            if (job.ended()) {
                ended(job);
            }
        } catch (NoSuchElementException gone) { // the database came from a backup: nobody will ever know
            waiting.getOrDefault(id, Set.of()).forEach(waiter -> waiter.ending().cancel(false));
        }
    }

    /** Answers everybody with their job as it is now, or as it was last seen if the database is away: the server is told to stop. */
    public void stop(Function<UUID, Job> present) {
        stopped = true;
        Set<Waiter> all = waiting.values().stream().flatMap(Set::stream).collect(Collectors.toSet());
        boolean away = false;
        for (Waiter waiter : all) {
            Job seen = waiter.seen();
            try {
                waiter.ending().complete(away ? seen : present.apply(seen.id()));
            } catch (RuntimeException gone) { // it takes seconds to find that out: once is enough
                away = true;
                waiter.ending().complete(seen);
            }
        }
    }

    private static Job now(Job seen, Function<UUID, Job> present) {
        try {
            return present.apply(seen.id());
        } catch (RuntimeException away) {
            return seen;
        }
    }
}
