package gpuq.node;

import java.io.IOException;
import java.util.regex.Pattern;

/**
 * The first line of every channel:
 *
 * <pre>GPUQ 1 serve spool=… boot=… version=… epoch=…</pre>
 *
 * A login shell may have printed anything before it, even on the same line (a terminal's title has no newline).
 *
 * @param spool the spool's identity: another one behind the same address is another node
 * @param boot the host's boot
 * @param version of the node scripts
 * @param epoch the highest lease epoch that the spool has seen
 */
record Greeting(String spool, String boot, String version, long epoch) {
    private static final int NOISE = 64 * 1024;
    private static final Pattern MAGIC = Pattern.compile("GPUQ (\\d{1,9}) (serve|watch)( .*)?");

    static Greeting read(Incoming in, String verb) throws IOException {
        for (int left = NOISE; ; ) {
            String line = in.line(left);
            var magic = MAGIC.matcher(line);
            if (magic.find() && magic.group(2).equals(verb)) {
                if (Integer.parseInt(magic.group(1)) != Protocol.VERSION) {
                    throw new Lie("it speaks version %s of the node protocol, this server speaks version %d", magic.group(1), Protocol.VERSION);
                }
                String words = magic.group(3) == null ? "" : magic.group(3);
                return new Greeting(value(words, "spool"), value(words, "boot"), value(words, "version"), epoch(value(words, "epoch")));
            }
            left -= line.length() + 1;
            if (left <= 0) {
                throw new Lie("no greeting in its first %d bytes", NOISE);
            }
        }
    }

    private static String value(String words, String key) {
        var found = Pattern.compile(" " + key + "=(" + Protocol.WORD + ")(?= |$)").matcher(words.stripTrailing());
        if (!found.find()) {
            throw new Lie("its greeting has no %s: '%s'", key, Protocol.quotable(words));
        }
        return found.group(1);
    }

    private static long epoch(String word) {
        if (!word.matches("\\d{1,18}")) {
            throw new Lie("its greeting has the epoch '%s'", Protocol.quotable(word));
        }
        return Long.parseLong(word);
    }
}
