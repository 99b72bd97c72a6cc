package gpuq.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a slow, confused or hostile client gets: an answer or a closed connection, and never a thread of ours for long. */
@Timeout(30)
class ConnectionTest {
    private static final String HOST = "Host: localhost\r\n";
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = new TestServer();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static RawClient client() throws IOException {
        return new RawClient(server.port());
    }

    @Test
    void a_connection_without_a_request_is_closed() throws IOException {
        try (var client = client()) {
            assertEquals("", client.readToEnd());
        }
    }

    @Test
    void a_first_line_that_stops_is_closed() throws IOException {
        try (var client = client()) {
            assertEquals("", client.send("GET /api/broken HT").readToEnd());
        }
    }

    @Test
    void headers_that_stop_are_closed() throws IOException {
        try (var client = client()) {
            assertEquals("", client.send("GET /api/broken HTTP/1.1\r\n" + HOST + "X-Slow: ").readToEnd());
        }
    }

    @Test
    void a_body_that_stops_is_closed() throws IOException {
        try (var client = client()) {
            assertEquals("", client.send(form("Content-Length: 1000\r\n") + "--b\r\nContent-Disp").readToEnd());
        }
    }

    @Test
    void a_body_that_drips_is_closed_at_its_deadline() throws Exception {
        try (var client = client()) {
            client.send(form("Content-Length: 100000\r\n"));
            var dripping = Thread.startVirtualThread(() -> client.sendWhatGoes("x", 1 << 16));
            client.readToEnd();
            assertTrue(dripping.join(java.time.Duration.ofSeconds(10)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 5\r\n",
        "Transfer-Encoding: Chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    })
    void a_request_whose_length_can_be_read_in_two_ways_is_refused_and_closed(String headers) throws IOException {
        try (var client = client()) {
            String answer = client.send(form(headers) + "0\r\n\r\nGET /api/broken HTTP/1.1\r\n" + HOST + "\r\n").readToEnd();
            assertTrue(answer.startsWith("HTTP/1.1 400 "), answer);
            assertTrue(answer.contains("application/problem+json"), answer);
            assertEquals(answer.indexOf("HTTP/1.1"), answer.lastIndexOf("HTTP/1.1"), "one answer only: " + answer);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "GARBAGE\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET /api/broken HTTP/1.1\r\n\r\n",
        "GET /api/broken HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /api/broken?x=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /api/broken HTTP/1.1\r\nHost: localhost\r\nno colon here\r\n\r\n",
        "GET /api/broken HTTP/1.1\r\nHost: localhost\r\nX-Long: LONG\r\n\r\n",
        "GET /LONG HTTP/1.1\r\nHost: localhost\r\n\r\n",
    })
    void a_request_that_is_none_gets_a_problem_document_and_a_close(String request) throws IOException {
        try (var client = client()) {
            String answer = client.send(request.replace("LONG", "x".repeat(20_000))).readToEnd();
            assertTrue(answer.matches("(?s)HTTP/1\\.1 4(00|14) .*\\{\"type\":\"about:blank\".*\"message\":.*"), answer);
        }
    }

    @Test
    void an_oversized_body_is_refused_and_the_client_sees_it() throws IOException {
        try (var client = client()) {
            client.send(form("Content-Length: 20000000\r\n") + part("code")).sendWhatGoes("x".repeat(100_000), 200);
            String answer = client.readToEnd();
            assertTrue(answer.startsWith("HTTP/1.1 413 "), answer);
            assertTrue(answer.contains("code: must not be larger than 1048576 bytes"), answer);
        }
    }

    @Test
    void an_oversized_chunked_body_is_refused_and_the_client_sees_it() throws IOException {
        try (var client = client()) {
            String first = part("code");
            client.send(form("Transfer-Encoding: chunked\r\n") + Integer.toHexString(first.length()) + "\r\n" + first + "\r\n")
                    .sendWhatGoes("186a0\r\n" + "x".repeat(100_000) + "\r\n", 200);
            assertTrue(client.readToEnd().startsWith("HTTP/1.1 413 "));
        }
    }

    @Test
    void one_huge_chunk_is_refused_before_it_fills_the_memory() throws IOException {
        try (var client = client()) {
            client.send(form("Transfer-Encoding: chunked\r\n") + "7fffffff\r\n").sendWhatGoes("x".repeat(100_000), 300);
            assertTrue(client.readToEnd().startsWith("HTTP/1.1 413 "));
        }
    }

    @Test
    void a_line_between_chunks_that_never_ends_is_refused_before_it_fills_the_memory() throws IOException {
        try (var client = client()) {
            client.send(form("Transfer-Encoding: chunked\r\n")).sendWhatGoes("0".repeat(100_000), 300);
            assertTrue(client.readToEnd().startsWith("HTTP/1.1 413 "));
        }
    }

    @Test
    void a_body_that_nobody_asked_for_is_not_waited_for() throws IOException {
        try (var client = client()) {
            String answer = client.send("GET /api/broken HTTP/1.1\r\n" + HOST + "Content-Length: 1000\r\n\r\n").readToEnd();
            assertTrue(answer.startsWith("HTTP/1.1 500 ") && answer.contains("Connection: close"), answer);
        }
    }

    @Test
    void a_body_sent_to_a_page_is_not_waited_for() throws IOException {
        try (var client = client()) {
            String answer = client.send("GET /openapi HTTP/1.1\r\n" + HOST + "Content-Length: 1000\r\n\r\n").readToEnd();
            assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
        }
    }

    @Test
    void an_unread_body_is_never_taken_for_the_next_request() throws IOException {
        try (var client = client()) {
            String smuggled = "GET /api/broken HTTP/1.1\r\n" + HOST + "\r\n";
            String answer = client.send(
                            "POST /api/nothing HTTP/1.1\r\n" + HOST + "Content-Length: " + smuggled.length() + "\r\n\r\n" + smuggled)
                    .readToEnd();
            assertTrue(answer.startsWith("HTTP/1.1 404 "), answer);
            assertFalse(answer.contains(" 500 "), answer);
        }
    }

    @Test
    void a_connection_announced_to_close_is_closed() throws IOException {
        try (var client = client()) {
            String answer = client.send("GET /health HTTP/1.1\r\n" + HOST + "Connection: close\r\n\r\n").readToEnd();
            assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
        }
    }

    @Test
    void a_whole_form_leaves_the_connection_open_for_the_next_one() throws IOException {
        try (var client = client()) {
            for (int i = 0; i < 3; i++) {
                String body = part("nonsense") + "\r\n--b--\r\n";
                String answer = client.send(form("Content-Length: " + body.length() + "\r\n") + body).readAnswer();
                assertTrue(answer.startsWith("HTTP/1.1 400 ") && answer.contains("nonsense: is not a part"), answer);
            }
        }
    }

    @Test
    void a_client_that_does_not_read_its_answer_is_closed() throws Exception {
        try (var client = client()) {
            client.send("GET /api/big HTTP/1.1\r\n" + HOST + "\r\n");
            server.unread.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void a_client_that_goes_away_ends_its_wait() throws Exception {
        try (var client = client()) {
            client.send("GET /api/wait HTTP/1.1\r\n" + HOST + "\r\n");
        }
        server.gone.get(10, TimeUnit.SECONDS);
    }

    @Test
    void a_failure_tells_nothing_of_the_inside() throws IOException {
        try (var client = client()) {
            String answer = client.send("GET /api/broken HTTP/1.1\r\n" + HOST + "\r\n").readAnswer();
            assertTrue(answer.startsWith("HTTP/1.1 500 "), answer);
            assertFalse(answer.contains("secret"), answer);
        }
    }

    @Test
    void one_path_has_its_methods_and_the_others_are_named_in_Allow() throws IOException {
        try (var client = client()) {
            String refused = client.send("DELETE /api/big HTTP/1.1\r\n" + HOST + "\r\n").readAnswer();
            assertTrue(refused.startsWith("HTTP/1.1 405 ") && refused.contains("Allow: GET, HEAD, OPTIONS"), refused);
            String options = client.send("OPTIONS /api/form HTTP/1.1\r\n" + HOST + "\r\n").readAnswer();
            assertTrue(options.startsWith("HTTP/1.1 204 ") && options.contains("Allow: POST, OPTIONS"), options);
            String head = client.send("HEAD /docs/ HTTP/1.1\r\n" + HOST + "\r\n").readAnswer().split("\r\n", 2)[0];
            assertEquals("HTTP/1.1 200 OK", head);
        }
    }

    @Test
    void everybody_who_waits_gets_an_answer_when_the_server_stops() throws Exception {
        try (var stopping = new TestServer(); var client = new RawClient(stopping.port())) {
            client.send("GET /api/wait HTTP/1.1\r\n" + HOST + "\r\n");
            stopping.waiting.get(10, TimeUnit.SECONDS);
            stopping.over.complete(null);
            stopping.close();
            assertTrue(client.readToEnd().endsWith("{\"waited\":true}"));
        }
    }

    private static String form(String headers) {
        return "POST /api/form HTTP/1.1\r\n" + HOST + "Content-Type: multipart/form-data; boundary=b\r\n" + headers + "\r\n";
    }

    private static String part(String name) {
        return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"f\"\r\n\r\n";
    }
}
