/**
 * The REST API: parses, authenticates, checks, answers. It asks {@link gpuq.dispatch.Queue} for everything else.
 *
 * <p>Three layers, from the socket inwards. <em>Connections</em>: {@link gpuq.api.Connection}, {@link gpuq.api.ConnectionGuard},
 * {@link gpuq.api.Deadlines} and {@link gpuq.api.HonestClose} see to it that no client, however slow or confused, holds a thread or
 * memory for longer than the settings say. <em>Requests and answers</em>: {@link gpuq.api.Json}, {@link gpuq.api.Problem},
 * {@link gpuq.api.Resource}, {@link gpuq.api.Query}, {@link gpuq.api.Access}. <em>Resources</em>: one {@code …Service} for each line of
 * the published documentation; the records in it are the bodies of its answers, field for field.
 *
 * <p>Only the composition root may call it, through {@link gpuq.api.HttpServer}.
 */
@NullMarked
package gpuq.api;

import org.jspecify.annotations.NullMarked;
