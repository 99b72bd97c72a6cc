package gpuq.node;

import gpuq.node.Node.Check;
import java.util.List;

/** Looks for what keeps jobs from running on the node. */
record DoctorCommand() implements Command<List<Check>> {

    @Override
    public List<String> words() {
        return List.of("doctor");
    }

    @Override
    public List<Check> read(byte[] body) {
        return Fields.parse(body).stream()
                .map(check -> new Check(check.text("check"), check.oneOf(Check.State.class, "state"), check.sentence("detail")))
                .toList();
    }
}
