/**
 * One question to a Redis on a unix socket, without a client: enough to see whether a server is up,
 * and whose it is.
 */
import { connect } from "node:net";

const PATIENCE_MS = 1_000;

/**
 * Sends one inline command and resolves to the start of the reply as it came (`+PONG`, `-LOADING
 * …`, `$…`); null when nobody listens, the connection ends first, or nothing comes within
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
