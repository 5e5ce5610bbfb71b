/** Queries of a socket that are answered from the store. */
import { Stream } from "../../domain/concurrency/stream.js";
import type { StoredAnswer } from "../answers/stored-answer.js";
import { extensionsOf } from "../answers/stored-body.js";
import { framePrefix, writeFrame } from "../fan-out/frame.js";
import type { SocketExecution, SocketOperationDeps } from "./execution.js";

/**
 * Writes the answer as a frame of its own. The stream only
 * ends, upon which graphql-ws completes the operation.
 */
export async function sendStored(
  { observe }: Pick<SocketOperationDeps, "observe">,
  { id, operation, connection, cancellation, startedAt }: SocketExecution,
  stored: StoredAnswer,
): Promise<Stream<never>> {
  operation.settleAt(stored.cost.actual);
  observe(operation, {
    transport: "websocket",
    durationMs: performance.now() - startedAt,
    outcome: "answered",
  });
  await connection.whenWritable();
  const { socket, stream } = connection;
  if (!cancellation.isCancelled && socket.readyState === socket.OPEN)
    writeFrame(
      stream,
      framePrefix(id),
      stored.bytesEndedBy(`${extensionsOf(operation.costReport)}}`),
    );
  const done = new Stream<never>();
  done.end();
  return done;
}
