/**
 * A command to a Redis, without a client: whether a server is
 * up, and its pid.
 */
import { connect, type NetConnectOpts } from "node:net";

const PATIENCE_MS = 1_000;

/**
 * Sends an inline command to a socket path or a port. Resolves to the start of the raw
 * reply (`+PONG`, `-LOADING …`, `$…`). Null without a
 * listener, when the connection ends first, or after
 * `patienceMs`.
 */
export function askRedis(
  to: string | NetConnectOpts,
  command: string,
  patienceMs = PATIENCE_MS,
): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(typeof to === "string" ? { path: to } : to);
    const settle = (reply: string | null) => {
      socket.destroy();
      resolve(reply);
    };
    socket.setTimeout(patienceMs, () => settle(null));
    socket.once("error", () => settle(null)).once("close", () => settle(null));
    socket.once("data", (reply: Buffer) => settle(reply.toString()));
    socket.write(`${command}\r\n`);
  });
}
