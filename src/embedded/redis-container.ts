/**
 * The embedded Redis as a container, where no binary exists.
 *
 * Valkey on a port of loopback, behind a password of this
 * start. It works in the same folder as a binary would, and
 * ends with us: `run` of the engine is a guarded child, and
 * passes the signal on. Set-up fetches the image when it is
 * allowed to; an image that is not here is not fetched.
 */
import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Logger } from "pino";
import { StartupError } from "../domain/errors.js";
import { SECOND } from "../domain/time/time.js";
import { type GuardedChild, startGuarded } from "./guarded-child.js";
import { askRedis } from "./raw-redis.js";
import { SNAPSHOTS, untilServes } from "./redis-process.js";

/** Exact; scripts/setup/ways.mjs fetches the same. */
export const REDIS_IMAGE = "docker.io/valkey/valkey:8.1.4";
const ENGINES = ["docker", "podman"];
/** An engine whose machine is down may never answer. */
const ENGINE_MS = 10 * SECOND;
const CONF = "container.conf";

export interface RedisContainerOptions {
  /** Where the server keeps its data. */
  readonly dir: string;
  readonly log: Logger;
  readonly engines?: readonly string[] | undefined;
}

/** A server that can be started, again and again. */
export interface RedisContainer {
  readonly url: string;
  /** @throws StartupError with what the engine printed */
  start(): Promise<GuardedChild>;
}

/** Null where no engine answers that has the image. */
export async function redisContainer(
  options: RedisContainerOptions,
): Promise<RedisContainer | null> {
  const { dir, log, engines = ENGINES } = options;
  const engine = await engineWithImage(engines);
  if (engine === null) return null;
  const port = await portOfLoopback();
  const password = randomBytes(24).toString("base64url");
  const name = `souk-${createHash("sha256").update(dir).digest("hex").slice(0, 16)}`;
  await writeFile(join(dir, CONF), confOf(password), { mode: 0o600 });
  const address = { host: "127.0.0.1", port };
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    async start() {
      await stopEarlier(engine, name);
      log.info({ engine, image: REDIS_IMAGE }, "starting Redis in a container");
      const args = runArgs({ engine, dir, name, port, user: await userFor(engine) });
      const child = await startGuarded({ command: engine, args, stopSignal: "TERM" });
      const ask = () => askRedis(address, `AUTH ${password}\r\nPING`);
      const failure = await untilServes(child, { ask, where: `127.0.0.1:${port}`, log });
      if (failure === null) return { ...child, kill: () => removeNow(engine, name) };
      await child.stop();
      throw new StartupError(`The container of ${engine} did not start:\n${failure.output}`);
    },
  };
}

async function engineWithImage(engines: readonly string[]): Promise<string | null> {
  for (const engine of engines)
    if (await succeeds(engine, ["image", "inspect", REDIS_IMAGE])) return engine;
  return null;
}

const succeeds = (engine: string, args: readonly string[], timeout = ENGINE_MS): Promise<boolean> =>
  promisify(execFile)(engine, args, { timeout }).then(
    () => true,
    () => false,
  );

/**
 * One that outlived an earlier run would write the same files.
 * The lock of the data folder is ours, so no process uses it.
 */
async function stopEarlier(engine: string, name: string): Promise<void> {
  await succeeds(engine, ["stop", name], 3 * ENGINE_MS);
  // The engine removes a stopped one a moment later.
  await succeeds(engine, ["rm", "--force", name]);
}

/** In a process of its own: ours may end before the engine has. */
function removeNow(engine: string, name: string): void {
  const command = spawn(engine, ["rm", "--force", name], { detached: true, stdio: "ignore" });
  command.on("error", () => {}).unref();
}

interface ContainerRun {
  readonly engine: string;
  readonly dir: string;
  readonly name: string;
  readonly port: number;
  readonly user: readonly string[];
}

/**
 * Files belong to us, so that we can delete them. Without root
 * Docker maps its root to us, and Podman with `keep-id`.
 */
async function userFor(engine: string): Promise<string[]> {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  // Podman may be installed under the name docker.
  const version = await outputOf(engine, ["--version"]);
  const security = await outputOf(engine, ["info", "--format", "{{.SecurityOptions}}"]);
  if (/podman/i.test(version))
    return ["--user", `${uid}:${gid}`, ...(uid === 0 ? [] : ["--userns=keep-id"])];
  return security.includes("rootless") ? [] : ["--user", `${uid}:${gid}`];
}

/** "" for a failure. */
const outputOf = (engine: string, args: readonly string[]): Promise<string> =>
  promisify(execFile)(engine, args, { timeout: ENGINE_MS }).then(
    ({ stdout }) => stdout,
    () => "",
  );

function runArgs({ dir, name, port, user }: ContainerRun): string[] {
  // Where SELinux rules, a container sees labelled files alone.
  const label = process.platform === "linux" ? ":Z" : "";
  return [
    ...["run", "--rm", "--name", name, ...user],
    ...["--volume", `${dir}:/data${label}`, "--publish", `127.0.0.1:${port}:6379`],
    ...["--entrypoint", "valkey-server", REDIS_IMAGE, `/data/${CONF}`],
  ];
}

/** A file, because others may read command lines. */
const confOf = (password: string): string =>
  [
    "dir /data",
    "appendonly yes",
    "appendfsync everysec",
    `save ${SNAPSHOTS.join(" ")}`,
    "maxmemory-policy noeviction",
    `requirepass ${password}`,
    "",
  ].join("\n");

/** Free now; a start that finds it taken fails with a message. */
function portOfLoopback(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve, reject) =>
    probe.once("error", reject).listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    }),
  );
}
