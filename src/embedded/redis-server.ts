/**
 * The embedded Redis: a private redis-server (or
 * valkey-server) for a start without REDIS_URL.
 *
 * It listens on a unix socket only, in a folder closed to
 * other users. It keeps its data by AOF (fsync every second)
 * and RDB, and ends with us (guarded-child.ts). An orphan of
 * an earlier run is found by its socket. It is stopped before
 * a new server opens the same files. A server that dies while
 * we run is started again; readers see a restart of Redis.
 * Without a binary a container serves, where set-up has
 * fetched the image (redis-container.ts). Without both the
 * start fails with the three ways to get one.
 */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { StartupError } from "../domain/errors.js";
import { SECOND } from "../domain/time/time.js";
import { inDataFolder } from "./data-folder.js";
import { type GuardedChild, NO_SUCH_COMMAND, startGuarded } from "./guarded-child.js";
import { askRedis } from "./raw-redis.js";
import { redisContainer } from "./redis-container.js";
import { type EmbeddedRedis, SNAPSHOTS, superviseRedis, untilServes } from "./redis-process.js";
import { socketFolder } from "./socket-path.js";

export interface EmbeddedRedisOptions {
  /** The data folder; Redis uses `redis/` below it. */
  readonly dataDir: string;
  readonly log: Logger;
  /**
   * Names of the program, tried in this order; default
   * redis-server, valkey-server, and one that set-up built.
   */
  readonly binaries?: readonly string[];
  /** Container engines, tried next; default docker, podman. */
  readonly engines?: readonly string[];
}

/** Where scripts/setup/redis.mjs keeps what it built. */
const BUILT_BY_SETUP = fileURLToPath(new URL("../../.cache/bin/redis-server", import.meta.url));
const BINARIES = ["redis-server", "valkey-server", BUILT_BY_SETUP];
const POLL_MS = 10;
/**
 * A server that is neither up nor loading after this long
 * never will be.
 */
const SILENT_MS = 15 * SECOND;
interface RedisPlace {
  readonly dir: string;
  readonly socket: string;
  readonly log: Logger;
  readonly binaries: readonly string[];
}

/**
 * Starts the server and waits until it has loaded its data.
 * @throws StartupError without a binary, or when it does not
 * come up, with its output
 */
export function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const { dataDir, log, engines } = options;
  return inDataFolder(dataDir, async () => {
    const place = await preparePlace(options);
    const child = await startFirst(place);
    if (child) {
      const start = async () => (await startFirst(place)) ?? noServer();
      const { socket } = place;
      return superviseRedis({ url: `unix:${socket}`, child, start, log });
    }
    const container = (await redisContainer({ dir: place.dir, log, engines })) ?? noServer();
    return superviseRedis({ ...container, child: await container.start(), log });
  });
}

const noServer = (): never => {
  throw new StartupError(NO_BINARY);
};

/** Makes the folders, and ends a server of an earlier run. */
async function preparePlace({
  dataDir,
  log,
  binaries = BINARIES,
}: EmbeddedRedisOptions): Promise<RedisPlace> {
  const dir = resolve(dataDir, "redis");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const place: RedisPlace = {
    dir,
    socket: join(await socketFolder(dataDir), "redis.sock"),
    log,
    binaries,
  };
  await stopOrphan(place);
  return place;
}

/** Starts the first binary that exists; null without one. */
async function startFirst(place: RedisPlace): Promise<GuardedChild | null> {
  for (const command of place.binaries) {
    const child = await startGuarded({
      command,
      args: argsFor(place),
      stopSignal: "TERM",
      cwd: place.dir,
    });
    const ask = () => askRedis(place.socket, "PING");
    const failure = await untilServes(child, { ask, where: place.socket, log: place.log });
    if (failure === null) return child;
    await child.stop();
    if (failure.code !== NO_SUCH_COMMAND)
      throw new StartupError(`${command} did not start (code ${failure.code}):\n${failure.output}`);
  }
  return null;
}

const NO_BINARY =
  "No redis-server or valkey-server was found on PATH. Souk keeps live data in Redis (7.0 or " +
  "newer, or Valkey). Three ways to get one:\n" +
  "  1. a system package   sudo apt-get install redis-server  ·  brew install redis  ·  " +
  "sudo dnf install valkey\n" +
  "  2. a container        docker run -d -p 127.0.0.1:6379:6379 redis:7, then set " +
  "REDIS_URL=redis://127.0.0.1:6379\n" +
  "  3. one you have       set REDIS_URL=redis://user:password@host:6379";

function argsFor({ dir, socket }: RedisPlace): string[] {
  const reach = ["--port", "0", "--unixsocket", socket, "--unixsocketperm", "700"];
  const keep = [
    "--dir",
    dir,
    "--appendonly",
    "yes",
    "--appendfsync",
    "everysec",
    "--save",
    ...SNAPSHOTS,
  ];
  return [
    ...reach,
    ...keep,
    "--maxmemory-policy",
    "noeviction",
    "--pidfile",
    pidFile(dir),
    "--daemonize",
    "no",
    "--loglevel",
    "notice",
  ];
}

const pidFile = (dir: string): string => join(dir, "redis.pid");

/**
 * Ends a server that outlived an earlier run. So two servers
 * never write the same files.
 */
async function stopOrphan(place: RedisPlace): Promise<void> {
  const info = await askRedis(place.socket, "INFO server", SECOND);
  // A server that answers on this socket is ours.
  const pid = Number(/process_id:(\d+)/.exec(info ?? "")?.[1]) || (await silentOrphan(place));
  if (!pid) return void (await rm(place.socket, { force: true }));
  place.log.warn(
    { redisPid: pid },
    "waiting for a redis-server that an earlier run left behind to stop",
  );
  if (info !== null) await askRedis(place.socket, "SHUTDOWN", SILENT_MS);
  if (await goneWithin(SILENT_MS, place)) return;
  if ((await silentOrphan(place)) !== pid)
    throw new StartupError(
      `Process ${pid} still writes to ${place.dir}. Stop it, then start again.`,
    );
  process.kill(pid, "SIGKILL");
  await goneWithin(SILENT_MS, place);
}

async function goneWithin(patienceMs: number, place: RedisPlace): Promise<boolean> {
  const giveUpAt = performance.now() + patienceMs;
  while (performance.now() < giveUpAt) {
    if (!(await silentOrphan(place)) && (await askRedis(place.socket, "PING")) === null)
      return true;
    await delay(POLL_MS);
  }
  return false;
}

/**
 * The pid in the pid file, if that process serves our socket.
 * Pids are reused, so the file alone proves nothing.
 */
async function silentOrphan({ dir, socket }: RedisPlace): Promise<number | undefined> {
  const pid = Number(await readFile(pidFile(dir), "utf8").catch(() => ""));
  if (!(pid > 1) || !isAlive(pid)) return undefined;
  const title = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return /(redis|valkey)-server/.test(title) && title.includes(socket) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
