package gpuq.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("embedded")
class EmbeddedFileTest {
    @TempDir Path folder;

    @Test
    void a_file_only_ever_grows_until_it_is_copied_at_a_start() throws IOException {
        fill(200);
        long grown = Files.size(file());
        fill(200);
        assertTrue(Files.size(file()) > grown * 3 / 2, "was %d, is %d".formatted(grown, Files.size(file())));
        copy();
        assertTrue(Files.size(file()) < grown / 2, "was %d, is %d".formatted(grown, Files.size(file())));
        try (Database database = open()) {
            assertEquals(200L, database.find("SELECT count(*) AS n FROM job_code", Map.of(), row -> row.whole("n")).orElseThrow());
            assertEquals("x".repeat(100_000), database.find("SELECT code FROM job_code WHERE job_id = '7'", Map.of(), row -> row.text("code")).orElseThrow());
        }
    }

    @Test
    void a_copy_that_was_interrupted_is_thrown_away() throws IOException {
        fill(3);
        Path half = Files.writeString(Path.of(file() + ".tempFile"), "half a copy");
        fill(3);
        assertFalse(Files.exists(half));
    }

    @Test
    void a_file_that_there_is_no_room_to_copy_is_used_as_it_is() throws IOException, InterruptedException {
        run("mount", "-t", "tmpfs", "-o", "size=74m", "small", folder.toString());
        try {
            Random random = new Random(1);
            byte[] noise = new byte[500_000];
            int rows = 0;
            try (Database database = open()) {
                for (; Files.size(file()) < 66 << 20; rows++) {
                    random.nextBytes(noise);
                    database.update("INSERT INTO job_code (job_id, code) VALUES (:id, :code)", Map.of("id", "" + rows, "code", HexFormat.of().formatHex(noise)));
                }
            }
            long size = Files.size(file());
            try (Database database = open()) {
                assertEquals((long) rows, database.find("SELECT count(*) AS n FROM job_code", Map.of(), row -> row.whole("n")).orElseThrow());
            }
            assertTrue(Files.size(file()) >= size, "it was copied");
            assertFalse(Files.exists(Path.of(file() + ".tempFile")));
        } finally {
            run("umount", folder.toString());
        }
    }

    private static void run(String... command) throws IOException, InterruptedException {
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor(), () -> String.join(" ", command));
    }

    @Test
    void a_second_server_in_the_same_process_is_told_so_too() {
        Database first = open();
        assertThrows(DatabaseUnavailable.class, this::open);
        first.close();
        open().close();
    }

    @Test
    void a_path_that_would_end_in_h2s_options_is_refused() {
        assertThrows(IllegalArgumentException.class, () -> DatabaseSettings.embedded(folder.resolve("a;MODE=x")));
    }

    private Database open() {
        return Database.open(DatabaseSettings.embedded(folder.resolve("gpuq")));
    }

    private Path file() {
        return folder.resolve("gpuq.mv.db");
    }

    private void copy() throws IOException {
        try (EmbeddedFile file = EmbeddedFile.open(EmbeddedFile.url(folder.resolve("gpuq")))) {
            file.compact();
        }
    }

    private void fill(int rows) {
        try (Database database = open()) {
            for (int i = 0; i < rows; i++) {
                database.update("""
                        INSERT INTO job_code (job_id, code) VALUES (:id, :code) ON DUPLICATE KEY UPDATE code = VALUES(code)""",
                        Map.of("id", "" + i, "code", i == 7 ? "x".repeat(100_000) : "code " + i));
            }
        }
    }
}
