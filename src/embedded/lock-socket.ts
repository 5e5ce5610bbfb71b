/**
 * The socket of a lock's holder: it says `running` or
 * `stopping` to each client. The kernel closes it with the
 * process.
 */
import { connect, createServer } from "node:net";
import { SECOND } from "../domain/time/time.js";

export type HolderState = "running" | "stopping";

/** Longer than a pause of a process that is well. */
const BUSY_MS = 3 * SECOND;

/**
 * Listens on a path until closed. Says `stopping` once the
 * signal is aborted.
 */
export function openLockSocket(
  path: string,
  stopping?: AbortSignal,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    const state: HolderState = stopping?.aborted ? "stopping" : "running";
    // A frozen reader must not hold our end.
    socket.end(state, () => socket.destroy());
  });
  // The lock alone keeps no process running.
  server.unref();
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return new Promise((resolve, reject) =>
    server.once("error", reject).listen(path, () => resolve({ close })),
  );
}

/**
 * What the process behind a path says; null when there is
 * none. One that is silent counts as running, because the
 * kernel accepts its connections.
 */
export function stateBehind(path: string): Promise<HolderState | null> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let said = "";
    socket.setTimeout(BUSY_MS, () => socket.destroy());
    socket.once("error", ({ code }: NodeJS.ErrnoException) => {
      if (said === "" && code !== "EAGAIN") resolve(null);
    });
    socket.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    socket.once("close", () => resolve(said === "stopping" ? "stopping" : "running"));
  });
}
