package gpuq.launch;

import freemarker.cache.ConditionalTemplateConfigurationFactory;
import freemarker.cache.FileExtensionMatcher;
import freemarker.cache.FileTemplateLoader;
import freemarker.core.TemplateClassResolver;
import freemarker.core.TemplateConfiguration;
import freemarker.template.Configuration;
import freemarker.template.Template;
import freemarker.template.TemplateException;
import freemarker.template.TemplateExceptionHandler;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * {@code prologue.sh.ftl}: a launch script's assignments. Interpolations are {@code [=…]}, so bash keeps its own {@code ${…}}; escaping is forced,
 * so a template cannot switch it off.
 */
final class Prologue {
    private final Template template;

    Prologue(Path directory) {
        try {
            template = configuration(directory).getTemplate("prologue.sh.ftl");
        } catch (IOException e) {
            throw new UncheckedIOException("the launch template prologue.sh.ftl cannot be used: " + e.getMessage(), e);
        }
    }

    private static Configuration configuration(Path directory) throws IOException {
        var shell = new TemplateConfiguration();
        shell.setOutputFormat(ShellOutputFormat.INSTANCE);
        shell.setAutoEscapingPolicy(Configuration.FORCE_AUTO_ESCAPING_POLICY);

        var configuration = new Configuration(Configuration.VERSION_2_3_34);
        configuration.setTemplateLoader(new FileTemplateLoader(directory.toFile()));
        configuration.setDefaultEncoding(StandardCharsets.UTF_8.name());
        configuration.setLocalizedLookup(false);
        configuration.setInterpolationSyntax(Configuration.SQUARE_BRACKET_INTERPOLATION_SYNTAX);
        configuration.setRegisteredCustomOutputFormats(List.of(ShellOutputFormat.INSTANCE));
        configuration.setTemplateConfigurations(new ConditionalTemplateConfigurationFactory(new FileExtensionMatcher("sh.ftl"), shell));
        configuration.setNewBuiltinClassResolver(TemplateClassResolver.ALLOWS_NOTHING_RESOLVER);
        configuration.setAPIBuiltinEnabled(false);
        configuration.setTemplateExceptionHandler(TemplateExceptionHandler.RETHROW_HANDLER);
        configuration.setLogTemplateExceptions(false);
        configuration.setWrapUncheckedExceptions(true);
        return configuration;
    }

    /** @param facts a value for each of the template's names */
    String render(Map<String, String> facts) {
        var script = new StringWriter();
        try {
            template.process(facts, script);
        } catch (TemplateException e) {
            throw new IllegalArgumentException("the launch template prologue.sh.ftl failed: " + e.getMessageWithoutStackTop(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return script.toString();
    }
}
