package gpuq.api;

import java.io.StringReader;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * A stranger's YAML: one flat mapping of text and whole numbers. It is composed, never constructed: no tag makes an object, no
 * alias is followed, and what a value is and in which line can be said.
 */
final class Yaml {
    private static final Pattern DECIMAL = Pattern.compile("[+-]?(0|[1-9][0-9]{0,17})");
    private static final String FILE = "config_file";
    private static final int DEEPEST = 8;

    private final Map<String, Node> values = new LinkedHashMap<>();

    private Yaml() {}

    /** @return nothing, and a fault, if it is not such a mapping */
    static Optional<Yaml> read(byte[] bytes, Faults faults) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return mapping(text.startsWith("\uFEFF") ? text.substring(1) : text, faults);
        } catch (CharacterCodingException e) {
            faults.add(FILE, "must be UTF-8");
        } catch (MarkedYAMLException e) {
            String place = e.getProblemMark() == null
                    ? ""
                    : " in line %d, column %d".formatted(e.getProblemMark().getLine() + 1, e.getProblemMark().getColumn() + 1);
            faults.add(FILE, "is not valid YAML: %s%s", Faults.shown(String.valueOf(e.getProblem())), place);
        } catch (YAMLException e) {
            faults.add(FILE, "is not valid YAML");
        }
        return Optional.empty();
    }

    private static Optional<Yaml> mapping(String text, Faults faults) {
        var options = new LoaderOptions();
        options.setCodePointLimit(ConfigFile.LIMIT);
        options.setNestingDepthLimit(DEEPEST);
        options.setMaxAliasesForCollections(0);
        var parser = new org.yaml.snakeyaml.Yaml(options);
        for (var event : parser.parse(new StringReader(text))) {
            if (event instanceof AliasEvent) {
                faults.add(FILE, "must not use aliases (*name)");
                return Optional.empty();
            }
        }
        if (!(parser.compose(new StringReader(text)) instanceof MappingNode root)) {
            faults.add(FILE, "must be one mapping, with lines such as 'user_id: \"…\"'");
            return Optional.empty();
        }
        var yaml = new Yaml();
        for (NodeTuple entry : root.getValue()) {
            if (!(entry.getKeyNode() instanceof ScalarNode key)) {
                faults.add(FILE, "has a key that is not text in line %d", entry.getKeyNode().getStartMark().getLine() + 1);
            } else if (yaml.values.put(key.getValue(), entry.getValueNode()) != null) {
                faults.add(key.getValue(), "is given more than once");
            }
        }
        return Optional.of(yaml);
    }

    /** Names every key that is not known and every required one that is missing. */
    void allow(Set<String> required, Set<String> optional, Faults faults) {
        for (String key : values.keySet()) {
            if (!required.contains(key) && !optional.contains(key)) {
                faults.add(key, "is not a key of the config file; required: %s; optional: %s",
                        String.join(", ", new TreeSet<>(required)), String.join(", ", new TreeSet<>(optional)));
            }
        }
        for (String key : new TreeSet<>(required)) {
            if (!values.containsKey(key)) {
                faults.add(key, "is missing in the config file");
            }
        }
    }

    Optional<String> text(String key, Faults faults) {
        Node node = values.get(key);
        if (node == null) {
            return Optional.empty();
        }
        if (node.getTag().equals(Tag.STR) && node instanceof ScalarNode scalar) {
            return Optional.of(scalar.getValue());
        }
        boolean scalar = node instanceof ScalarNode && !node.getTag().equals(Tag.NULL);
        faults.add(key, "must be a string, got %s%s", kind(node), scalar ? "; put it in double quotes" : "");
        return Optional.empty();
    }

    /** @param unit such as " of seconds", for the message */
    Optional<Integer> integer(String key, String unit, int least, int most, Faults faults) {
        Node node = values.get(key);
        if (node == null) {
            return Optional.empty();
        }
        if (!(node.getTag().equals(Tag.INT) && node instanceof ScalarNode scalar)) {
            faults.add(key, "must be a whole number%s, got %s", unit, kind(node));
            return Optional.empty();
        }
        String digits = scalar.getValue();
        if (!DECIMAL.matcher(digits).matches()) {
            faults.add(key, "must be a whole number%s from %d to %d, in plain decimal digits", unit, least, most);
            return Optional.empty();
        }
        var value = new BigInteger(digits);
        if (value.compareTo(BigInteger.valueOf(least)) < 0 || value.compareTo(BigInteger.valueOf(most)) > 0) {
            faults.add(key, "must be a whole number%s from %d to %d, got %s", unit, least, most, value);
            return Optional.empty();
        }
        return Optional.of(value.intValue());
    }

    private static String kind(Node node) {
        Tag tag = node.getTag();
        return switch (node.getNodeId()) {
            case mapping -> "a mapping";
            case sequence -> "a list";
            case anchor -> "an alias";
            case scalar -> tag.equals(Tag.STR) ? "a string"
                    : tag.equals(Tag.INT) ? "a whole number"
                    : tag.equals(Tag.FLOAT) ? "a decimal number"
                    : tag.equals(Tag.BOOL) ? "a boolean"
                    : tag.equals(Tag.NULL) ? "nothing"
                    : tag.equals(Tag.TIMESTAMP) ? "a date"
                    : "a value with a tag of its own";
        };
    }
}
