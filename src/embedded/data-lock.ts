/**
 * The lock of the data folder: one process at a time, because
 * two corrupt the embedded database silently.
 *
 * A holder listens on a unix socket of its own.
 * `lock-<generation>.json` names the socket and the pid. The
 * holder is the writer of the highest generation whose socket
 * still answers. The kernel closes the socket of a dead
 * process. So a stale lock never seems live, even where its
 * pid is reused. Creating the next generation takes a stale
 * lock over. Only one process can create it. The highest
 * generation is never deleted. So a slow starter cannot fall
 * back to an earlier one.
 *
 * The socket says `running` or `stopping`. A holder that stops
 * is waited for (also by scripts/setup/port.mjs).
 */
import { randomBytes } from "node:crypto";
import { link, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { StartupError } from "../domain/errors.js";
import { SECOND } from "../domain/time/time.js";
import { inDataFolder } from "./data-folder.js";
import { openLockSocket, stateBehind } from "./lock-socket.js";
import { socketFolder } from "./socket-path.js";

/** Held until closed, or until the process ends. */
export interface DataLock {
  close(): Promise<void>;
}

export interface DataLockOptions {
  /** Aborted once this process stops: successors then wait. */
  readonly stopping?: AbortSignal;
  /** How long to wait for a holder that stops; default 45 s. */
  readonly patienceMs?: number;
  /** Called once, before the wait, with the holder's pid. */
  readonly onWait?: (pid: number) => void;
}

/** The longest SHUTDOWN_MS, and the time to close after it. */
const LEAVING_MS = 45 * SECOND;
const ASK_AGAIN_MS = 50;

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly socket: string;
}

/**
 * Takes the lock of a data folder, making the folder if need
 * be. Waits for a holder that is stopping.
 * @throws StartupError with the process that holds it, or why
 * the folder cannot be used
 */
export function lockDataDir(dir: string, options: DataLockOptions = {}): Promise<DataLock> {
  return inDataFolder(dir, async () => {
    const socket = join(await socketFolder(dir), `lock-${randomBytes(6).toString("hex")}`);
    const opened = await openLockSocket(socket, options.stopping);
    try {
      await untilFree(dir, options);
      await takeNextGeneration(dir, { pid: process.pid, host: hostname(), socket });
    } catch (error) {
      await opened.close();
      throw error;
    }
    return opened;
  });
}

/**
 * Returns at once unless a living holder says that it stops.
 * One that said so may be too busy to say it again.
 */
async function untilFree(dir: string, options: DataLockOptions): Promise<void> {
  const { patienceMs = LEAVING_MS, onWait, stopping } = options;
  const giveUpAt = performance.now() + patienceMs;
  let known: string | null = null;
  while (performance.now() < giveUpAt && !stopping?.aborted) {
    const holder = await readHolder(dir, await highestGeneration(dir));
    const state = holder ? await stateBehind(holder.socket) : null;
    if (!holder || state === null) return;
    if (state === "running" && holder.socket !== known) return;
    if (known === null) onWait?.(holder.pid);
    known = holder.socket;
    await delay(ASK_AGAIN_MS);
  }
}

async function takeNextGeneration(dir: string, mine: Holder): Promise<void> {
  const held = await highestGeneration(dir);
  if (held > 0) await refuseIfAlive(dir, held);
  const generation = held + 1;
  if (!(await create(dir, generation, mine))) return takeNextGeneration(dir, mine);
  // Faster processes may have taken this generation and the
  // next. Then this one was deleted before we made it again.
  if ((await highestGeneration(dir)) > generation) return takeNextGeneration(dir, mine);
  await clearEarlier(dir, generation);
}

async function refuseIfAlive(dir: string, generation: number): Promise<void> {
  const holder = await readHolder(dir, generation);
  if (!holder || !(await stateBehind(holder.socket))) return;
  const where = holder.host === hostname() ? "" : ` on ${holder.host}`;
  throw new StartupError(
    `The data folder ${dir} is in use by process ${holder.pid}${where}.\nStop that one ` +
      "first, or set DATABASE_URL (and REDIS_URL) so that several can run side by side.",
  );
}

const generationFile = (dir: string, generation: number): string =>
  join(dir, `lock-${generation}.json`);

async function generations(dir: string): Promise<number[]> {
  return (await readdir(dir))
    .map((name) => Number(/^lock-(\d+)\.json$/.exec(name)?.[1] ?? 0))
    .filter((generation) => generation > 0);
}

const highestGeneration = async (dir: string): Promise<number> =>
  Math.max(0, ...(await generations(dir)));

/**
 * Written aside, then linked: the name appears with its
 * content, and only for the first. True for the first.
 */
async function create(dir: string, generation: number, holder: Holder): Promise<boolean> {
  const draft = join(dir, `lock-draft-${randomBytes(6).toString("hex")}`);
  await writeFile(draft, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  try {
    await link(draft, generationFile(dir, generation));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function readHolder(dir: string, generation: number): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(generationFile(dir, generation), "utf8")) as Holder;
  } catch {
    // Deleted, or cut short by a full disk: no holder wrote
    // that.
    return null;
  }
}

async function clearEarlier(dir: string, generation: number): Promise<void> {
  for (const earlier of (await generations(dir)).filter((candidate) => candidate < generation)) {
    const holder = await readHolder(dir, earlier);
    if (holder?.socket) await rm(holder.socket, { force: true });
    await rm(generationFile(dir, earlier), { force: true });
  }
}
