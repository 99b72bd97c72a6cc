package gpuq.api;

import gpuq.job.Submission;
import io.helidon.common.media.type.MediaTypes;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HttpMediaType;
import io.helidon.webserver.http.ServerRequest;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** The form of a submit, from its bytes to a checked {@link Submission.Form} and the token that came with it. */
record SubmitForm(Submission.Form form, String token) {
    static final String CODE = "code";
    static final String CONFIG = "config_file";

    private static final Set<String> PARTS = Set.of(CODE, CONFIG);
    private static final HeaderName KEY = HeaderNames.create("Idempotency-Key");
    private static final Pattern KEY_RULE = Pattern.compile("[!-~]{1,255}");
    private static final Pattern BOUNDARY = Pattern.compile("[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]");

    /** @throws Problem 415 if the request is no form */
    static String boundary(ServerRequest request) {
        Optional<HttpMediaType> type;
        try {
            type = request.headers().contentType();
        } catch (RuntimeException unreadable) {
            type = Optional.empty();
        }
        return type.filter(t -> t.mediaType().equals(MediaTypes.MULTIPART_FORM_DATA))
                .map(t -> t.parameters().get("boundary"))
                .filter(boundary -> BOUNDARY.matcher(boundary).matches())
                .orElseThrow(() -> Problem.unsupportedMediaType(
                        "Content-Type: must be multipart/form-data with a boundary, as 'curl -F' sends it"));
    }

    /** The client's own key of this submit. Two different ones are a fault. */
    static Optional<String> key(ServerRequest request, Faults faults) {
        List<String> keys = request.headers().all(KEY, List::of);
        if (keys.isEmpty()) {
            return Optional.empty();
        }
        if (keys.size() > 1 || !KEY_RULE.matcher(keys.getFirst()).matches()) {
            faults.add(KEY.defaultCase(), "must be one value of 1 to 255 visible ASCII characters");
            return Optional.empty();
        }
        return Optional.of(keys.getFirst());
    }

    /**
     * Reads the form, and refuses the request if this or anything before has found a fault.
     *
     * @throws Problem 413 if a part is too large, 400 for everything else
     */
    static SubmitForm read(Upload upload, String boundary, Optional<String> key, ApiSettings settings, Faults faults) {
        Multipart.Form form = Multipart.parse(upload.bytes(), boundary);
        Map<String, byte[]> parts = parts(form, faults);
        limit(CODE, parts, settings.codeLimit());
        limit(CONFIG, parts, ConfigFile.LIMIT);
        if (upload.cut()) {
            throw Problem.tooLarge("form", "must not be larger than %d bytes".formatted(Upload.limit(settings)));
        }
        form.rest().ifPresent(rest -> faults.add("form", "%s", rest));
        if (form.rest().isEmpty()) {
            PARTS.stream().sorted().filter(name -> !parts.containsKey(name)).forEach(name -> faults.add(name, "is missing in the form"));
        }
        Optional<String> code = Optional.ofNullable(parts.get(CODE)).flatMap(bytes -> code(bytes, faults));
        Optional<ConfigFile> config = Optional.ofNullable(parts.get(CONFIG))
                .flatMap(bytes -> ConfigFile.read(bytes, settings.defaultTimeLimit(), faults));
        faults.refuse();
        Submission submission = config.orElseThrow().submission();
        Optional<Submission.Key> whole =
                key.map(value -> new Submission.Key(value, sha256(submission.userId(), parts.get(CODE), parts.get(CONFIG))));
        return new SubmitForm(new Submission.Form(submission, code.orElseThrow(), whole), config.get().token());
    }

    private static Map<String, byte[]> parts(Multipart.Form form, Faults faults) {
        Map<String, byte[]> parts = new LinkedHashMap<>();
        for (Multipart.Part part : form.parts()) {
            if (!PARTS.contains(part.name())) {
                faults.add(part.name(), "is not a part of the form; there are code and config_file");
            } else if (parts.putIfAbsent(part.name(), part.bytes()) != null) {
                faults.add(part.name(), "is given more than once");
            }
        }
        return parts;
    }

    private static void limit(String name, Map<String, byte[]> parts, int limit) {
        byte[] bytes = parts.get(name);
        if (bytes != null && bytes.length > limit) {
            throw Problem.tooLarge(name, "must not be larger than %d bytes".formatted(limit));
        }
    }

    private static Optional<String> code(byte[] bytes, Faults faults) {
        try {
            String code = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            if (code.isEmpty()) {
                faults.add(CODE, "must not be empty");
            } else if (code.indexOf('\0') >= 0) {
                faults.add(CODE, "must not contain NUL characters");
            } else {
                return Optional.of(code);
            }
        } catch (CharacterCodingException e) {
            faults.add(CODE, "must be UTF-8");
        }
        return Optional.empty();
    }

    /** Of the user and both parts, each after its length, so that no two different forms read the same. */
    private static String sha256(String userId, byte[] code, byte[] config) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (byte[] bytes : List.of(userId.getBytes(StandardCharsets.UTF_8), code, config)) {
                digest.update(ByteBuffer.allocate(Long.BYTES).putLong(bytes.length).flip());
                digest.update(bytes);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    /** Without the token and the code. */
    @Override
    public String toString() {
        return "SubmitForm[" + form.submission() + "]";
    }
}
