package gpuq.results;

/**
 * What a job left.
 *
 * @param document the bytes of {@code results.jsonl} as text, {@code ""} when there is none
 * @param stderr the end of what the launch script wrote to its standard error
 */
public record Results(String document, String stderr) {
    public static final Results NONE = new Results("", "");
}
