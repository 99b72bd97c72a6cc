package gpuq.api;

import io.helidon.openapi.OpenApiFormat;
import io.helidon.openapi.OpenApiManager;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * Serves {@code META-INF/openapi.yaml} as it is, and as JSON. Helidon's own way of making JSON writes tags of YAML into it, which
 * no reader of JSON knows.
 */
final class ApiDescription implements OpenApiManager<String> {

    @Override
    public String load(String content) {
        return content;
    }

    @Override
    public String format(String yaml, OpenApiFormat format) {
        return switch (format) {
            case JSON -> Json.text(new Yaml(new SafeConstructor(new LoaderOptions())).<Object>load(yaml));
            case YAML, UNSUPPORTED -> yaml;
        };
    }

    @Override
    public String name() {
        return "description";
    }

    @Override
    public String type() {
        return "gpuq";
    }
}
