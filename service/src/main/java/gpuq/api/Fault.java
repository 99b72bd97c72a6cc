package gpuq.api;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * One thing that is wrong with a request.
 *
 * @param field the part, key, parameter or header
 * @param detail the rule that it breaks, such as {@code must be a whole number of seconds, got a string}
 */
@JsonPropertyOrder({"field", "detail"})
record Fault(String field, String detail) {

    /** Reads a sentence of the form {@code field: rule}. */
    static Fault of(String sentence) {
        int colon = sentence.indexOf(": ");
        return colon < 0 ? new Fault("request", sentence) : new Fault(sentence.substring(0, colon), sentence.substring(colon + 2));
    }

    String sentence() {
        return field + ": " + detail;
    }
}
