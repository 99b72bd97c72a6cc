package gpuq.launch;

import freemarker.core.CommonMarkupOutputFormat;
import freemarker.core.CommonTemplateMarkupOutputModel;
import java.io.IOException;
import java.io.Writer;

/**
 * FreeMarker's auto-escaping, taught shell: every interpolation becomes one word in single quotes, whatever it holds.
 * POSIX, Shell Command Language, 2.2.2: between single quotes nothing is special but a single quote itself.
 */
final class ShellOutputFormat extends CommonMarkupOutputFormat<ShellOutputFormat.Word> {
    static final ShellOutputFormat INSTANCE = new ShellOutputFormat();

    static final class Word extends CommonTemplateMarkupOutputModel<Word> {
        private Word(String plain, String markup) {
            super(plain, markup);
        }

        @Override
        public ShellOutputFormat getOutputFormat() {
            return INSTANCE;
        }
    }

    private ShellOutputFormat() {}

    @Override
    public String getName() {
        return "Shell";
    }

    @Override
    public String getMimeType() {
        return "application/x-sh";
    }

    @Override
    public void output(String text, Writer out) throws IOException {
        out.write(escapePlainText(text));
    }

    @Override
    public String escapePlainText(String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a shell word cannot hold a zero byte");
        }
        return "'" + text.replace("'", "'\\''") + "'";
    }

    @Override
    public boolean isLegacyBuiltInBypassed(String builtIn) {
        return false;
    }

    @Override
    protected Word newTemplateMarkupOutputModel(String plain, String markup) {
        return new Word(plain, markup);
    }
}
