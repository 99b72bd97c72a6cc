package gpuq.launch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gpuq.job.Job;
import gpuq.job.State;
import gpuq.job.Submission;
import gpuq.node.Scripts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LaunchTemplatesTest {
    private static final String BODY = "# ünchanged\nprintf '%s' \"${GPUQ_USER}\" [=no] <#if>\n";

    @TempDir
    Path folder;

    /** The real prologue beside a body of our own. */
    @BeforeEach
    void templates() throws Exception {
        Files.copy(Scripts.templates().resolve("prologue.sh.ftl"), folder.resolve("prologue.sh.ftl"));
        Files.writeString(folder.resolve("process.sh"), BODY);
        Files.writeString(folder.resolve("aira-dojo.sh"), "");
        Files.writeString(folder.resolve("Not_A_Name.sh"), "");
    }

    private static Job job(String user, String project, String competition) {
        var submission = new Submission(user, project, Optional.of(competition), Duration.ofSeconds(60), Duration.ofDays(7), 1, 0, OptionalInt.empty());
        return new Job(UUID.fromString("550e8400-e29b-41d4-a716-446655440000"), submission,
                Instant.parse("2025-11-17T17:20:00.123456789Z"), 1, 7, new State.Placed(0), Optional.empty());
    }

    private static Job job() {
        return job("sarang", "my_project", "random-acts-of-pizza");
    }

    private static String golden() throws Exception {
        try (var golden = LaunchTemplatesTest.class.getResourceAsStream("prologue.golden")) {
            return new String(golden.readAllBytes(), UTF_8);
        }
    }

    @Test
    void a_launch_script_is_the_golden_prologue_an_empty_line_and_the_body() throws Exception {
        var bundle = new LaunchTemplates(folder).bundle(job(), "process", "print('ü')\n");
        assertEquals(List.of("job", "launch.sh", "solution.py"), List.copyOf(bundle.files().keySet()));
        assertEquals(golden() + "\n" + BODY, new String(bundle.files().get("launch.sh"), UTF_8));
        assertEquals("print('ü')\n", new String(bundle.files().get("solution.py"), UTF_8));
    }

    @Test
    void the_facts_are_a_record_without_what_is_absent() {
        assertEquals("""
                job 550e8400-e29b-41d4-a716-446655440000
                attempt 1
                origin server
                user sarang
                project my_project
                competition random-acts-of-pizza
                template process
                gpus 1
                priority 0
                expected_time 60
                time_limit 604800
                submitted_at 1763400000123456
                """, new String(new LaunchTemplates(folder).bundle(job(), "process", "").files().get("job"), UTF_8));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nope", "../process", "process.sh", "Not_A_Name", "prologue", "process\n"})
    void a_template_that_is_not_there_is_refused_with_those_that_are(String name) {
        var refused = assertThrows(IllegalArgumentException.class, () -> new LaunchTemplates(folder).bundle(job(), name, ""));
        assertTrue(refused.getMessage().endsWith("there is no launch template '%s'; there are: aira-dojo, process".formatted(name)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "a\rb", "a\tb", "a\u0000b", "a\u0085b"})
    void control_characters_in_a_fact_are_refused(String user) {
        var refused = assertThrows(IllegalArgumentException.class,
                () -> new LaunchTemplates(folder).bundle(job(user, "p", "c"), "process", ""));
        assertTrue(refused.getMessage().endsWith("its user holds control characters"));
    }

    static List<String> hostile() {
        return List.of(
                "'", "''", "'\\''", "\\", "\\'", "\"", "$(touch owned)", "`touch owned`", "${HOME}", "'; touch owned; '",
                "'$(touch owned)'", "-rf", "--", "~", "*", "!!", "#", "a b  c ", "\n", "a\nb\n", "\r\n", "\t", "\u0001\u007f\u001b[31m", "ünï©ødé 🙂 \u202e",
                "[=user]", "<#if true>", "[#if]", "&lt;", "$'\\x41'", "\u00a0", "EOF\nEOF\n", "x".repeat(100_000));
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void a_hostile_value_in_every_fact_comes_out_of_bash_as_it_went_in(String value) throws Exception {
        var facts = Facts.of(job(), "process");
        facts.replaceAll((key, old) -> value);
        String names = facts.keySet().stream().map(key -> "\"$GPUQ_" + key.toUpperCase() + "\"").collect(Collectors.joining(" "));
        Path script = folder.resolve("launch.sh");
        Files.writeString(script, new Prologue(folder).render(facts) + "\nprintf '%s\\0' " + names + "\n");
        var run = Run.of(folder, Map.of("LC_ALL", "C.UTF-8"), "bash", script.toString());
        assertEquals((value + "\0").repeat(facts.size()), new String(run.output(), UTF_8));
        assertEquals(0, run.code());
        assertFalse(Files.exists(folder.resolve("owned")));
    }

    @Test
    void a_zero_byte_which_no_shell_can_hold_is_refused() {
        var facts = Facts.of(job(), "process");
        facts.put("user", "a\0b");
        assertThrows(IllegalArgumentException.class, () -> new Prologue(folder).render(facts));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[=user?no_esc]", "<#noautoesc>[=user]</#noautoesc>", "<#outputformat 'plainText'>[=user]</#outputformat>",
        "<#ftl output_format='plainText'>[=user]", "<#assign x = 'freemarker.template.utility.Execute'?new()>", "[=user?api]", "[=nobody]"})
    void a_template_cannot_switch_the_quoting_off_or_reach_further(String text) throws Exception {
        Files.writeString(folder.resolve("prologue.sh.ftl"), text);
        assertThrows(RuntimeException.class, () -> new Prologue(folder).render(Map.of("user", "$(id)")));
    }

    @Test
    void interpolations_are_only_whole_assignments_so_no_quotes_or_here_documents_surround_them() throws Exception {
        for (Path file : files("*.ftl")) {
            for (String line : Files.readAllLines(file)) {
                assertTrue(Pattern.matches("#[^\\[<]*|GPUQ_[A-Z_]+=\\[=[a-z_]+]", line), file + ": " + line);
            }
        }
    }

    @Test
    void bodies_hold_no_interpolation() throws Exception {
        for (Path file : files("*.sh")) {
            String body = Files.readString(file);
            assertFalse(body.contains("[=") || body.contains("<#") || body.contains("<@"), file.toString());
        }
    }

    @Test
    void rendered_scripts_pass_shellcheck() throws Exception {
        assumeTrue(System.getenv("PATH").lines().flatMap(p -> Pattern.compile(":").splitAsStream(p))
                .anyMatch(p -> Files.isExecutable(Path.of(p, "shellcheck"))), "shellcheck is not here");
        var templates = new LaunchTemplates(Scripts.templates());
        for (Path file : files("*.sh")) {
            String template = file.getFileName().toString().replace(".sh", "");
            Path script = folder.resolve("launch.sh");
            Files.write(script, templates.bundle(job(), template, "").files().get("launch.sh"));
            // SC2034: every script gets all the facts, and no body uses them all.
            var run = Run.of(folder, Map.of(), "shellcheck", "--norc", "--exclude=SC2034", script.toString());
            assertEquals("", new String(run.output(), UTF_8), template);
        }
    }

    private static List<Path> files(String glob) throws Exception {
        var files = new ArrayList<Path>();
        try (var found = Files.newDirectoryStream(Scripts.templates(), glob)) {
            found.forEach(files::add);
        }
        return files;
    }

    /** The facts are the node's own, as it keeps them; what it made of them must be what we would have made. */
    @Test
    void the_nodes_own_submit_writes_the_same_launch_script() throws Exception {
        var environment = Map.of("GPUQ_CONF", Scripts.configuration(folder, 1).toString(), "GPUQ_TEMPLATES", folder.toString());
        Path solution = Files.writeString(folder.resolve("mine.py"), "print(1)\n");
        gpuq(environment, "drain", "--reason", "nothing may start"); // the job shall wait
        gpuq(environment, "submit", "--competition", "random-acts-of-pizza", "--name", "it's \\ \"$(touch owned)\" & ünï [=user]", solution.toString());
        Path written;
        try (var files = Files.find(folder.resolve("spool"), 5, (path, kind) -> path.endsWith("launch.sh"))) {
            written = files.findFirst().orElseThrow();
        }
        Path record;
        try (var files = Files.find(folder.resolve("spool"), 5, (path, kind) -> path.endsWith("job"))) {
            record = files.findFirst().orElseThrow();
        }
        var facts = Facts.of(job(), "process");
        facts.replaceAll((key, ours) -> "");
        for (String line : Files.readAllLines(record)) {
            String[] fact = line.split(" ", 2);
            assertEquals("", facts.put(fact[0], fact[1]), "a fact that we do not know, or twice: " + line);
        }
        assertEquals(new Prologue(folder).render(facts) + "\n" + BODY, Files.readString(written));
    }

    private void gpuq(Map<String, String> environment, String... words) throws Exception {
        var command = new ArrayList<>(List.of(Scripts.gpuq().toString()));
        command.addAll(List.of(words));
        var run = Run.of(folder, environment, command.toArray(String[]::new));
        assertEquals(0, run.code(), () -> new String(run.output(), UTF_8));
    }
}
