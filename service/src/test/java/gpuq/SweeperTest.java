package gpuq;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SweeperTest {
    private static final long MB = 1 << 20;

    private long live = 10 * MB;
    private long garbage;
    private int collections;
    private final Sweeper sweeper = new Sweeper(() -> live + garbage, () -> {
        garbage = 0;
        collections++;
    });

    private void look(long garbageMore) {
        garbage += garbageMore;
        sweeper.look();
    }

    @Test
    void a_server_at_rest_is_left_alone() {
        for (int i = 0; i < 100; i++) {
            look(0);
        }
        assertEquals(0, collections);
    }

    @Test
    void garbage_never_takes_more_than_what_lives_and_the_spare() {
        look(20 * MB);
        assertEquals(1, collections);
        for (int i = 0; i < 1000; i++) {
            look(MB);
            assertEquals(true, garbage <= live + Sweeper.SPARE);
        }
        assertEquals(1 + 1000 / 27, collections);
    }

    @Test
    void what_lives_is_not_collected_again_and_again() {
        live = 300 * MB;
        for (int i = 0; i < 100; i++) {
            look(MB);
        }
        assertEquals(1, collections);
    }
}
