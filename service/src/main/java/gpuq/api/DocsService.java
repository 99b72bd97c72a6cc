package gpuq.api;

import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.staticcontent.StaticContentService;

/** The interactive page at {@code /docs}: Swagger UI from our own jar, which loads nothing from anywhere else. */
final class DocsService implements HttpService {
    private static final String SWAGGER_UI = "META-INF/resources/webjars/swagger-ui/5.34.1";
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
            + "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    @Override
    public void routing(HttpRules rules) {
        Resource.get(rules, "/", (request, response) ->
                response.status(Status.FOUND_302).header(HeaderNames.LOCATION, "/docs/").send());
        Resource.only(rules, "/openapi", Method.GET);
        Resource.only(rules, "/health", Method.GET, Method.HEAD);
        Resource.only(rules, "/docs", Method.GET, Method.HEAD);
        Resource.only(rules, "/docs/*", Method.GET, Method.HEAD);
        rules.any("/docs/*", (request, response) -> {
            response.header(HeaderNames.create("Content-Security-Policy"), POLICY)
                    .header(HeaderNames.create("X-Content-Type-Options"), "nosniff")
                    .header(HeaderNames.create("Referrer-Policy"), "no-referrer");
            response.next();
        });
        rules.register("/docs", StaticContentService.builder("docs").welcomeFileName("index.html").build());
        rules.register("/docs", StaticContentService.builder(SWAGGER_UI).build());
    }
}
