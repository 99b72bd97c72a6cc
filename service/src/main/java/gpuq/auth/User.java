package gpuq.auth;

/** Somebody who may submit. An administrator may see and cancel everybody's jobs. */
public record User(String id, boolean admin) {}
