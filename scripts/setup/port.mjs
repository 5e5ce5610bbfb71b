/**
 * Whether the port of `npm start` can be had, asked before anything is installed or filled.
 *
 * A predecessor of ours that is stopping is waited for: the lock of the data folder names its pid
 * and a socket that says whether it stops (src/embedded/data-lock.ts). The server asks again when it
 * listens; a port may be taken in between.
 */
import { readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fail, say } from "./say.mjs";

const LAST_PORT = 65_535;
/** The longest SHUTDOWN_MS, and the time to close after it. */
const STOPPING_MS = 45_000;
const POLL_MS = 100;
/** A holder that is too busy to say how it is. */
const SILENT_MS = 3_000;

/** Whether a server can listen there. Other failures than a busy port are the server's to tell. */
function isFree(host, port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", ({ code }) => resolve(code !== "EADDRINUSE"));
    probe.listen({ host, port }, () => probe.close(() => resolve(true)));
  });
}

function lockOf(dataDir) {
  try {
    const generations = readdirSync(dataDir).map((name) => /^lock-(\d+)\.json$/.exec(name)?.[1]);
    const highest = Math.max(...generations.map((generation) => Number(generation ?? 0)));
    return JSON.parse(readFileSync(join(dataDir, `lock-${highest}.json`), "utf8"));
  } catch {
    return null;
  }
}

/** What the holder of a lock says: `running`, `stopping`; null when no process listens. */
function stateBehind(path) {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let said = "";
    socket.setTimeout(SILENT_MS, () => socket.destroy());
    socket.once("error", () => said === "" && resolve(null));
    socket.on("data", (chunk) => {
      said += chunk;
    });
    socket.once("close", () => resolve(said || "running"));
  });
}

/** Who holds the data folder, and how it is. */
async function holderOf(dataDir) {
  const { pid, socket } = lockOf(dataDir) ?? {};
  const state = typeof socket === "string" ? await stateBehind(socket) : null;
  return { pid, socket, state };
}

/** True once the port is free; false when no predecessor is about to give it up. */
async function givenUp({ host, port, dataDir }) {
  const giveUpAt = performance.now() + STOPPING_MS;
  let known;
  while (performance.now() < giveUpAt) {
    const { pid, socket, state } = await holderOf(dataDir);
    if (await isFree(host, port)) return true;
    // One that said it stops may be too busy to say it again.
    if (state === null || (state === "running" && socket !== known)) return false;
    if (!known) say(`waiting for process ${pid}, which is stopping, to leave ${host}:${port}`);
    known = socket;
    await delay(POLL_MS);
  }
  return false;
}

async function freePortAfter(host, port) {
  for (let next = port + 1; next <= Math.min(port + 100, LAST_PORT); next += 1)
    if (await isFree(host, next)) return next;
  return 0;
}

/** Ends the run where another process listens on HOST and PORT. */
export async function requirePort(env) {
  const host = env.HOST || "127.0.0.1";
  const port = Number(env.PORT || 4000);
  // The server explains what is no port, and finds a free one for 0.
  if (!Number.isInteger(port) || port <= 0 || port > LAST_PORT) return;
  if (await isFree(host, port)) return;
  const dataDir = env.DATA_DIR || ".data";
  if (await givenUp({ host, port, dataDir })) return;
  const { pid, state } = await holderOf(dataDir);
  if (state !== null)
    fail(
      `${host}:${port} is in use, and Souk runs from this folder already, as process ${pid}.\n` +
        "Use that one, or stop it first.",
    );
  fail(
    `${host}:${port} is in use by another program. Stop it, or choose another port:\n` +
      `  PORT=${await freePortAfter(host, port)} npm start`,
  );
}
