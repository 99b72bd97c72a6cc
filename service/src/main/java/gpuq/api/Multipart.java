package gpuq.api;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a multipart/form-data body (RFC 7578, RFC 2046 5.1) of which all bytes are at hand: every byte of a part comes out as it
 * went in. Of a part's headers only its name counts: a file name is nobody's business here.
 */
final class Multipart {
    static final int MOST_PARTS = 16;
    private static final int LONGEST_HEADERS = 4096;
    private static final Pattern DISPOSITION = Pattern.compile("(?im)^content-disposition[ \t]*:[ \t]*form-data[ \t]*(;.*)$");
    private static final Pattern PARAMETER =
            Pattern.compile("\\G;[ \t]*([^\\s=;\"]++)[ \t]*=[ \t]*(?:\"([^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+)\"|([^\\s;\"]*+))[ \t]*");

    private final byte[] body;
    private final byte[] delimiter;

    private Multipart(byte[] body, String boundary) {
        this.body = body;
        this.delimiter = ("\r\n--" + boundary).getBytes(StandardCharsets.ISO_8859_1);
    }

    /** @param bytes the part's content, or what there is of it when the body was cut in it */
    record Part(String name, byte[] bytes) {}

    /** @param rest what is wrong with the form as such, if anything is */
    record Form(List<Part> parts, Optional<String> rest) {}

    /** Reads as far as it can: the parts before a fault are there beside it. */
    static Form parse(byte[] body, String boundary) {
        return new Multipart(body, boundary).parse();
    }

    private Form parse() {
        List<Part> parts = new ArrayList<>();
        int at = firstDelimiter();
        if (at < 0) {
            return new Form(parts, Optional.of("does not contain the boundary that Content-Type names"));
        }
        while (!startsWith(at, "--")) {
            if (parts.size() == MOST_PARTS) {
                return new Form(parts, Optional.of("has more than %d parts".formatted(MOST_PARTS)));
            }
            int headers = lineEnd(at);
            int content = headersEnd(headers);
            if (content < 0) {
                return new Form(parts, Optional.of("has a part whose headers do not end within %d bytes".formatted(LONGEST_HEADERS)));
            }
            Optional<String> name = name(new String(body, headers, content - headers, StandardCharsets.UTF_8));
            if (name.isEmpty()) {
                return new Form(parts, Optional.of("has a part without a readable 'Content-Disposition: form-data; name=…'"));
            }
            int end = nextDelimiter(content - 2);
            boolean open = end < 0;
            int to = open ? body.length : end;
            parts.add(new Part(name.get(), Arrays.copyOfRange(body, Math.min(content, to), to)));
            if (open) {
                return new Form(parts, Optional.of("ends before its closing boundary"));
            }
            at = end + delimiter.length;
        }
        return new Form(parts, Optional.empty());
    }

    /** The place behind the first delimiter, which alone may stand at the very beginning. */
    private int firstDelimiter() {
        if (matches(0, 2) && isDelimiter(delimiter.length - 2)) {
            return delimiter.length - 2;
        }
        int found = nextDelimiter(0);
        return found < 0 ? -1 : found + delimiter.length;
    }

    /** The place of the next delimiter at or behind {@code from}: a line that goes on in another way is content. */
    private int nextDelimiter(int from) {
        for (int i = from; i <= body.length - delimiter.length; i++) {
            if (body[i] == '\r' && matches(i, 0) && isDelimiter(i + delimiter.length)) {
                return i;
            }
        }
        return -1;
    }

    private boolean matches(int at, int skip) {
        if (body.length - at < delimiter.length - skip) {
            return false;
        }
        for (int i = skip; i < delimiter.length; i++) {
            if (body[at + i - skip] != delimiter[i]) {
                return false;
            }
        }
        return true;
    }

    private boolean isDelimiter(int behind) {
        return startsWith(behind, "--") || lineEnd(behind) >= 0;
    }

    /** The place behind blanks and a line break, or -1. */
    private int lineEnd(int at) {
        int i = at;
        while (i < body.length && (body[i] == ' ' || body[i] == '\t')) {
            i++;
        }
        return startsWith(i, "\r\n") ? i + 2 : -1;
    }

    /** The place behind the empty line that ends the headers, or -1. */
    private int headersEnd(int from) {
        if (startsWith(from, "\r\n")) {
            return from + 2;
        }
        for (int i = from; i <= Math.min(body.length, from + LONGEST_HEADERS) - 4; i++) {
            if (body[i] == '\r' && startsWith(i, "\r\n\r\n")) {
                return i + 4;
            }
        }
        return -1;
    }

    private boolean startsWith(int at, String text) {
        if (body.length - at < text.length()) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (body[at + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static Optional<String> name(String headers) {
        Matcher disposition = DISPOSITION.matcher(headers);
        if (!disposition.find()) {
            return Optional.empty();
        }
        Matcher parameter = PARAMETER.matcher(disposition.group(1));
        while (parameter.find()) {
            if (parameter.group(1).equalsIgnoreCase("name")) {
                return Optional.of(parameter.group(2) != null ? parameter.group(2) : parameter.group(3));
            }
        }
        return Optional.empty();
    }
}
