package gpuq.api;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class DeadlinesTest {

    @Test
    void a_deadline_interrupts_its_thread_and_leaves_no_interrupt_behind() {
        try (var deadlines = new Deadlines()) {
            try (var deadline = deadlines.start(Duration.ofMillis(10))) {
                assertThrows(InterruptedException.class, () -> new CountDownLatch(1).await());
                Thread.currentThread().interrupt();
                assertTrue(deadline.struck());
            }
            assertFalse(Thread.currentThread().isInterrupted());
        }
    }

    @Test
    void work_that_ends_in_time_is_never_interrupted() {
        try (var deadlines = new Deadlines()) {
            for (int i = 0; i < 2000; i++) {
                deadlines.start(Duration.ofMillis(1)).close();
                assertFalse(Thread.interrupted());
            }
        }
    }
}
