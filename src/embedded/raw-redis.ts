/**
 * One command to a Redis on a unix socket, without a client:
 * whether a server is up, and its pid.
 */
import { connect } from "node:net";

const PATIENCE_MS = 1_000;

/**
 * Sends one inline command. Resolves to the start of the raw
 * reply (`+PONG`, `-LOADING …`, `$…`). Null without a
 * listener, when the connection ends first, or after
 * `patienceMs`.
 */
export function askRedis(
  path: string,
  command: string,
  patienceMs = PATIENCE_MS,
): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
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
