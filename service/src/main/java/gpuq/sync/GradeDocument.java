package gpuq.sync;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

/**
 * What a grader wrote, as far as the job's status depends on it. {@code docs/grading.md} describes the document; other graders of the same
 * contract may write bare {@code NaN}, so that is read too.
 */
record GradeDocument(JsonNode root) {
    private static final String REMARK = "grade_code: ";
    private static final int LONGEST_DETAIL = 300;
    private static final long MOST_TOKENS = 2_000_000; // the tree of so many takes some 100 MB, of 16 MiB full of braces five times as much
    private static final int LARGE = 1 << 20;
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(100)
                            .maxStringLength(64 << 20)
                            .maxTokenCount(MOST_TOKENS)
                            .build())
                    .build())
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    /** @return nothing if the bytes are not one JSON object */
    static Optional<GradeDocument> read(byte[] bytes) {
        if (bytes.length < LARGE) {
            return parsed(bytes);
        }
        synchronized (MAPPER) { // one at a time: several trees of that size are more than the heap
            return parsed(bytes);
        }
    }

    private static Optional<GradeDocument> parsed(byte[] bytes) {
        try {
            JsonNode root = MAPPER.readTree(bytes);
            return root != null && root.isObject() ? Optional.of(new GradeDocument(root)) : Optional.empty();
        } catch (IOException notJson) { // nor text in any encoding that it is taken for by its first bytes
            return Optional.empty();
        }
    }

    /** A score counts only when the grader calls the solution valid and reports a finite number. */
    boolean scored() {
        JsonNode score = root.path("grading_report").path("score");
        return root.path("valid_solution").asBoolean() && score.isNumber() && Double.isFinite(score.asDouble());
    }

    /** The grader's own failure. */
    Optional<String> error() {
        return root.hasNonNull("error") ? Optional.of(oneLine(root.get("error").asText())) : Optional.empty();
    }

    boolean timedOut() {
        return root.path("timed_out").asBoolean();
    }

    boolean succeeded() {
        return root.path("success").asBoolean();
    }

    boolean submissionExists() {
        return root.path("grading_report").path("submission_exists").asBoolean();
    }

    /** Of the solution, not of the grader. */
    OptionalInt solutionExitCode() {
        JsonNode code = root.path("exit_code");
        return code.isInt() ? OptionalInt.of(code.asInt()) : OptionalInt.empty();
    }

    /** The last line that the solution wrote to its standard error. */
    Optional<String> lastErrorLine() {
        return lastLine(line -> !line.startsWith(REMARK));
    }

    /** Why there is no score, in our own grader's words; other graders have none. */
    Optional<String> remark() {
        return lastLine(line -> line.startsWith(REMARK)).map(line -> line.substring(REMARK.length()));
    }

    private Optional<String> lastLine(Predicate<String> wanted) {
        JsonNode lines = root.path("error_output");
        for (int i = lines.size() - 1; i >= 0; i--) {
            String[] parts = lines.get(i).asText().strip().split("\\R");
            String last = oneLine(parts[parts.length - 1]);
            if (!last.isBlank() && wanted.test(last)) {
                return Optional.of(last);
            }
        }
        return Optional.empty();
    }

    /** Strangers' text, made fit for a sentence: one line, no control characters, bounded. */
    private static String oneLine(String text) {
        String clean = text.strip().replaceAll("\\p{Cntrl}+", " ");
        return clean.length() <= LONGEST_DETAIL ? clean : clean.substring(0, LONGEST_DETAIL) + "…";
    }
}
