package gpuq.api;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class MultipartTest {
    private static final String BOUNDARY = "b-1";

    private static String part(String disposition, String content) {
        return "--b-1\r\nContent-Disposition: " + disposition + "\r\n\r\n" + content + "\r\n";
    }

    private static Multipart.Form parse(String body) {
        return Multipart.parse(body.getBytes(ISO_8859_1), BOUNDARY);
    }

    private static String names(Multipart.Form form) {
        return form.parts().stream().map(Multipart.Part::name).collect(Collectors.joining(" "));
    }

    @Test
    void reads_what_curl_sends() {
        var form = parse("--b-1\r\nContent-Disposition: form-data; name=\"code\"; filename=\"s.py\"\r\n"
                + "Content-Type: text/x-python\r\n\r\nprint(1)\n\r\n--b-1--\r\n");
        assertEquals("code", names(form));
        assertEquals("print(1)\n", new String(form.parts().getFirst().bytes(), ISO_8859_1));
        assertTrue(form.rest().isEmpty());
    }

    @Test
    void every_byte_comes_out_as_it_went_in() {
        var random = new Random(7);
        List<String> tokens = List.of("\r\n", "\n", "\r", "--b-1", "\r\n--b-1x", "--", "\r\n--b-", "x", "\0", "ÿ", "\r\n\r\n");
        for (int i = 0; i < 3000; i++) {
            String content = random.ints(random.nextInt(30), 0, tokens.size())
                    .mapToObj(tokens::get)
                    .collect(Collectors.joining())
                    .replaceAll("\r\n--b-1(?=[ \t]*\r\n|--)", "");
            if (!(("\r\n" + content + "\r\n").replaceAll("\r\n--b-1([ \t]*\r\n|--)", "").length() == content.length() + 4)) {
                continue; // holds a real delimiter
            }
            var form = parse(part("form-data; name=a", content) + "--b-1--");
            assertTrue(form.rest().isEmpty(), form.rest().toString());
            assertArrayEquals(content.getBytes(ISO_8859_1), form.parts().getFirst().bytes());
        }
    }

    @Test
    void takes_a_preamble_an_epilogue_empty_parts_and_a_bare_end() {
        assertEquals("a b", names(parse("hello\r\n" + part("form-data; name=a", "") + part("form-data; name=b", "x") + "--b-1--bye")));
        assertEquals(0, parse(part("form-data; name=a", "") + "--b-1--").parts().getFirst().bytes().length);
    }

    @Test
    void finds_the_name_and_nothing_that_looks_like_it() {
        assertEquals("code", names(parse(part("form-data; filename=\"x; name=evil\"; name=\"code\"", "") + "--b-1--")));
        assertEquals("code", names(parse(part("form-data; filename*=UTF-8''x; NAME=code", "") + "--b-1--")));
        assertEquals("co\\\"de", names(parse(part("form-data; name=\"co\\\"de\"", "") + "--b-1--")));
    }

    @Test
    void says_what_is_wrong_and_keeps_what_was_right() {
        assertTrue(parse("").rest().orElseThrow().contains("boundary"));
        assertTrue(parse("--b-2\r\n\r\n").rest().orElseThrow().contains("boundary"));
        assertTrue(parse(part("attachment; name=a", "") + "--b-1--").rest().orElseThrow().contains("Content-Disposition"));
        assertTrue(parse("--b-1\r\nX: " + "y".repeat(5000) + "\r\n\r\n").rest().orElseThrow().contains("4096"));
        assertTrue(parse(part("form-data; name=a", "").repeat(17) + "--b-1--").rest().orElseThrow().contains("16 parts"));
        var cut = parse(part("form-data; name=a", "1") + "--b-1\r\nContent-Disposition: form-data; name=b\r\n\r\n12");
        assertTrue(cut.rest().orElseThrow().contains("closing boundary"));
        assertEquals("a b", names(cut));
    }

    @Test
    void no_bytes_at_all_break_it() {
        var random = new Random(8);
        List<String> tokens = List.of(
                "--b-1", "\r\n", "--", ";", "\"", "\\", "name=", "Content-Disposition: form-data", " ", "x", "\0", ":", "\r", "\n");
        for (int i = 0; i < 20_000; i++) {
            parse(random.ints(random.nextInt(40), 0, tokens.size()).mapToObj(tokens::get).collect(Collectors.joining()));
        }
    }
}
