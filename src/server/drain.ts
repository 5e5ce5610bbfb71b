/**
 * Graceful stop of sockets. They close with 1001, spread over
 * half of the window. So clients do not all reconnect at once.
 * Running queries and mutations finish first. What is left at the
 * end is terminated.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "./connection/connection.js";

/**
 * The rest of the window serves closing handshakes and HTTP
 * requests.
 */
const SPREAD_SHARE = 0.5;
const STEP_MS = 20;

/**
 * Closes every socket, spread over half of the window. Resolves
 * when all are closed, or terminated at the window's end.
 */
export async function drainSockets(
  connections: ReadonlySet<Connection>,
  windowMs: number,
): Promise<void> {
  const waiting = [...connections];
  const total = waiting.length;
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  while (connections.size > 0 && elapsed() < windowMs) {
    const due = Math.ceil(total * Math.min(1, (elapsed() + STEP_MS) / (windowMs * SPREAD_SHARE)));
    const alreadyAsked = total - waiting.length;
    for (const connection of takeIdle(waiting, due - alreadyAsked))
      connection.close(GOING_AWAY, "Going away");
    if (connections.size > 0) await delay(Math.min(STEP_MS, windowMs));
  }
  for (const connection of connections) connection.socket.terminate();
}

const GOING_AWAY = 1001;

/**
 * Removes and returns up to `count` connections that execute
 * nothing.
 */
function takeIdle(waiting: Connection[], count: number): Connection[] {
  const taken = waiting
    .filter(({ runningOperations: running }) => running === 0)
    .slice(0, Math.max(0, count));
  for (const connection of taken) waiting.splice(waiting.indexOf(connection), 1);
  return taken;
}
