package gpuq.launch;

import gpuq.job.Job;
import gpuq.node.Bundle;
import java.nio.file.Path;

/** Renders what a node gets for a job from {@code templates/launch}. */
public final class LaunchTemplates {

    public LaunchTemplates(Path directory) {}

    /** The job's files: {@code job}, {@code launch.sh} and {@code solution.py}. @param template the node's own choice, such as {@code process} */
    public Bundle bundle(Job job, String template, String code) {
        throw new UnsupportedOperationException();
    }
}
