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
 */
import { randomBytes } from "node:crypto";
import { link, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { StartupError } from "../domain/errors.js";
import { inDataFolder } from "./data-folder.js";
import { socketFolder } from "./socket-path.js";

/** Held until closed, or until the process ends. */
export interface DataLock {
  close(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly socket: string;
}

/**
 * Takes the lock of a data folder, making the folder if need
 * be.
 * @throws StartupError with the process that holds it, or why
 * the folder cannot be used
 */
export function lockDataDir(dir: string): Promise<DataLock> {
  return inDataFolder(dir, async () => {
    const socket = join(await socketFolder(dir), `lock-${randomBytes(6).toString("hex")}`);
    const server = await listenOn(socket);
    try {
      await takeNextGeneration(dir, { pid: process.pid, host: hostname(), socket });
    } catch (error) {
      await closeServer(server);
      throw error;
    }
    return { close: () => closeServer(server) };
  });
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
  if (!holder || !(await answers(holder.socket))) return;
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

function listenOn(path: string): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => {}).destroy());
  // The lock alone keeps no process running.
  server.unref();
  return new Promise((resolve, reject) =>
    server.once("error", reject).listen(path, () => resolve(server)),
  );
}

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()));

/**
 * Whether a process listens there. A stopped or busy one
 * counts, because the kernel accepts the connection.
 */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket
      .once("connect", () => resolve(true))
      .once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EAGAIN"));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.destroy());
  });
}
