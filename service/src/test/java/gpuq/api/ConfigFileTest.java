package gpuq.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import gpuq.job.Submission;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigFileTest {
    private static final Duration SITE_LIMIT = Duration.ofDays(7);
    private static final String GOOD = """
            competition_id: "random-acts-of-pizza"  # Competition to grade against
            project_id: "my_project"
            user_id: "sarang"
            expected_time: 60  # estimated seconds
            token: "secret-token"
            """;

    private static String faults(String yaml) {
        return faults(yaml.getBytes(UTF_8));
    }

    private static String faults(byte[] yaml) {
        var faults = new Faults();
        assertTrue(ConfigFile.read(yaml, SITE_LIMIT, faults).isEmpty() || !faults.none());
        return faults.all().stream().map(Fault::sentence).collect(Collectors.joining("\n"));
    }

    @Test
    void the_published_file_is_read() {
        var faults = new Faults();
        ConfigFile file = ConfigFile.read(GOOD.getBytes(UTF_8), SITE_LIMIT, faults).orElseThrow();
        assertTrue(faults.none());
        assertEquals(
                new Submission("sarang", "my_project", Optional.of("random-acts-of-pizza"), Duration.ofSeconds(60), SITE_LIMIT, 1, 0, OptionalInt.empty()),
                file.submission());
        assertEquals("secret-token", file.token());
        assertFalse(file.toString().contains("secret-token"));
    }

    @Test
    void the_optional_keys_are_read() {
        ConfigFile file = ConfigFile.read(
                        (GOOD + "time_limit: 2592000\ngpus: 64\npriority: -100\nnode_id: 0\n").getBytes(UTF_8), SITE_LIMIT, new Faults())
                .orElseThrow();
        assertEquals(Duration.ofDays(30), file.submission().timeLimit());
        assertEquals(64, file.submission().gpus());
        assertEquals(-100, file.submission().priority());
        assertEquals(OptionalInt.of(0), file.submission().node());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "\"60\"      | must be a whole number of seconds, got a string",
        "60.5        | must be a whole number of seconds, got a decimal number",
        "true        | must be a whole number of seconds, got a boolean",
        "[60]        | must be a whole number of seconds, got a list",
        "{a: 1}      | must be a whole number of seconds, got a mapping",
        "~           | must be a whole number of seconds, got nothing",
        "2026-01-01  | must be a whole number of seconds, got a date",
        "!secs 60    | must be a whole number of seconds, got a value with a tag of its own",
        "0           | must be a whole number of seconds from 1 to 2592000, got 0",
        "-1          | must be a whole number of seconds from 1 to 2592000, got -1",
        "2592001     | must be a whole number of seconds from 1 to 2592000, got 2592001",
        "0x3c        | must be a whole number of seconds from 1 to 2592000, in plain decimal digits",
        "074         | must be a whole number of seconds from 1 to 2592000, in plain decimal digits",
        "1:00        | must be a whole number of seconds from 1 to 2592000, in plain decimal digits",
        "1_000       | must be a whole number of seconds from 1 to 2592000, in plain decimal digits",
        "9999999999999999999999 | must be a whole number of seconds from 1 to 2592000, in plain decimal digits",
    })
    void a_wrong_expected_time_is_named(String value, String rule) {
        assertEquals("expected_time: " + rule, faults(GOOD.replace("60 ", value + " ")));
    }

    @Test
    void a_number_for_a_token_must_be_quoted() {
        assertEquals(
                "token: must be a string, got a whole number; put it in double quotes",
                faults(GOOD.replace("\"secret-token\"", "12345")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "../x", ".x", "-x", "a b", "a/b", "x'; rm -rf ~", "a\\u0000", "é", "a\\nb"})
    void an_id_is_an_id(String id) {
        String rule = ": must be 1 to 64 letters, digits, dots, dashes and underscores, and begin with a letter or digit";
        assertEquals("user_id" + rule, faults(GOOD.replace("sarang", id)));
        assertEquals("project_id" + rule, faults(GOOD.replace("my_project", id)));
        assertEquals("competition_id" + rule, faults(GOOD.replace("random-acts-of-pizza", id)));
    }

    @Test
    void an_id_has_at_most_64_characters() {
        assertEquals("", faults(GOOD.replace("sarang", "x".repeat(64)) + "gpus: 65").replaceAll("gpus.*", ""));
        assertTrue(faults(GOOD.replace("sarang", "x".repeat(65))).startsWith("user_id: must be 1 to 64"));
    }

    @Test
    void all_faults_come_at_once_and_unknown_keys_are_named() {
        String all = faults("competition_id: 1\nexpected_time: x\ngpu: 1\nuser_id: a\n");
        for (String start : new String[] {
            "gpu: is not a key", "project_id: is missing", "token: is missing", "competition_id: must be a string", "expected_time: must"
        }) {
            assertTrue(all.lines().anyMatch(line -> line.startsWith(start)), start + " in:\n" + all);
        }
        assertEquals(5, all.lines().count(), all);
    }

    @Test
    void a_key_given_twice_is_named() {
        assertEquals("user_id: is given more than once", faults(GOOD + "user_id: other\n"));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "",
        "just text",
        "- a\n- b",
        "a: [",
        "a: b: c",
        "---\na: 1\n---\nb: 2",
        "x: &a [1]\ny: *a",
        "&a user_id: *a",
        "? [a]\n: 1",
        "!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[]]]",
        "a: \u0007",
    })
    void what_is_no_flat_mapping_is_refused(String yaml) {
        assertTrue(faults(yaml).contains("config_file: "), faults(yaml));
    }

    @Test
    void bombs_are_refused_quickly() {
        assertTrue(faults("a: " + "[".repeat(30_000)).contains("config_file: is not valid YAML"));
        assertTrue(faults("a: " + "{a: ".repeat(16_000)).contains("config_file: is not valid YAML"));
        var laughs = new StringBuilder("a: &a [x]\n");
        for (char c = 'b'; c < 'z'; c++) {
            laughs.append("%c: &%c [*%c,*%c,*%c]\n".formatted(c, c, c - 1, c - 1, c - 1));
        }
        assertTrue(faults(laughs.toString()).contains("must not use aliases"));
        assertTrue(faults("x" + ": 1\nx".repeat(10_000) + ": 1").contains("x: is given more than once"));
    }

    @Test
    void a_tag_makes_no_object() {
        String all = faults(GOOD.replace("\"secret-token\"", "!!java.net.URL [http://example.org]"));
        assertTrue(all.startsWith("config_file: is not valid YAML: Global tag is not allowed"), all);
    }

    @Test
    void bytes_that_are_no_UTF_8_are_refused() {
        assertEquals("config_file: must be UTF-8", faults(new byte[] {'a', ':', ' ', (byte) 0xff}));
    }

    @Test
    void a_file_from_another_system_is_read() {
        assertTrue(ConfigFile.read(("\uFEFF" + GOOD.replace("\n", "\r\n")).getBytes(UTF_8), SITE_LIMIT, new Faults()).isPresent());
    }
}
