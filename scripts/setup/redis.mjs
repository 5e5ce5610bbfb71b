/**
 * A Redis that the system's packages do not bring: the image for a container engine, and a server
 * built from source. Each answers null, or why it could not be had.
 */
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHED_PROGRAMS, findCommand } from "../find.mjs";
import { ENGINES } from "./machine.mjs";
import { run, runNpm } from "./run.mjs";
import { lastLines } from "./say.mjs";
import { VERSIONS } from "./ways.mjs";

/** An engine whose machine is down may never answer. */
const ENGINE_MS = 10_000;

/** Only fetches the image: the server starts the container, and ends it with itself. */
export async function pullImage(engine) {
  const { code, output } = await run(engine, ["pull", VERSIONS.image]);
  return code === 0 ? null : lastLines(output);
}

/** Whether an engine that answers has the image: src/embedded/redis-container.ts asks the same. */
export async function hasImage() {
  for (const engine of ENGINES) {
    if (!findCommand([engine])) continue;
    const words = ["image", "inspect", VERSIONS.image];
    if ((await run(engine, words, { timeoutMs: ENGINE_MS })).code === 0) return true;
  }
  return false;
}

/**
 * Builds a redis-server once, into the cache folder. redis-memory-server downloads and compiles it;
 * its own step after the install is called by us, because npm may be told to run none.
 */
export async function buildRedis(cache) {
  const folder = join(cache, "redis-builder");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const spec = `redis-memory-server@${VERSIONS.redisBuilder}`;
  const words = ["install", "--prefix", folder, "--no-save", "--ignore-scripts", spec];
  const installed = await runNpm(words, { cwd: folder });
  if (installed.code !== 0) return lastLines(installed.output);
  const downloads = join(cache, "redis");
  const builder = join(folder, "node_modules", "redis-memory-server", "scripts", "postinstall.js");
  const built = await run(process.execPath, [builder], { cwd: folder, env: builderEnv(downloads) });
  if (built.code !== 0) return lastLines(built.output);
  return keep(join(downloads, VERSIONS.redis, "redis-server"));
}

function builderEnv(downloads) {
  const { REDISMS_SYSTEM_BINARY, REDISMS_DISABLE_POSTINSTALL, ...env } = process.env;
  return {
    ...env,
    INIT_CWD: downloads,
    REDISMS_VERSION: VERSIONS.redis,
    REDISMS_DOWNLOAD_DIR: downloads,
    // Without it the builder accepts any certificate.
    npm_config_strict_ssl: "true",
  };
}

/** Renamed into its place, so that what is found there is whole. */
function keep(binary) {
  const place = join(CACHED_PROGRAMS, "redis-server");
  try {
    mkdirSync(CACHED_PROGRAMS, { recursive: true });
    copyFileSync(binary, `${place}.new`);
    renameSync(`${place}.new`, place);
    return null;
  } catch (error) {
    return `The build left no server: ${error.message}`;
  }
}
