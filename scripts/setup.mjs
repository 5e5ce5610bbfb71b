#!/usr/bin/env node
/**
 * Everything a fresh clone lacks, before any script that needs it, with one line for each thing
 * that was done. Says nothing when all is there.
 *
 *   node scripts/setup.mjs run      the npm packages of a start, and the build
 *   node scripts/setup.mjs import   and a Redis, unless REDIS_URL names one
 *   node scripts/setup.mjs start    and a free port
 *   node scripts/setup.mjs build    the npm packages of a start alone
 *   node scripts/setup.mjs deps     all npm packages
 *   node scripts/setup.mjs dev      all npm packages, with everything of a start
 *   node scripts/setup.mjs test     all npm packages, also of examples/storefront, Redis,
 *                                   PostgreSQL unless TEST_DATABASE_URL names one, and a browser if
 *                                   one can be had
 *   node scripts/setup.mjs drill    and the build
 *
 * Imports nothing but Node and its own folder: it runs before `npm ci`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { providePackages } from "./setup/packages.mjs";
import { requirePort } from "./setup/port.mjs";
import { provideBrowser, providePostgres, provideRedis } from "./setup/programs.mjs";
import { run } from "./setup/run.mjs";
import { fail } from "./setup/say.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const NODE_FLOOR = [20, 19];

/** What each purpose needs, beside Node. `development`: all packages, not those of a start. */
const NEEDS = {
  run: { build: true },
  import: { redis: "start", build: true },
  start: { port: true, redis: "start", build: true },
  build: {},
  deps: { development: true },
  dev: { port: true, development: true, redis: "start", build: true },
  test: { development: true, redis: "test", servers: true },
  drill: { development: true, redis: "test", servers: true, build: true },
};

function checkMachine() {
  if (process.platform === "win32")
    fail("Souk runs on Linux and macOS. On Windows use WSL: https://aka.ms/wsl");
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const enough = major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1]);
  if (!enough)
    fail(
      `Souk needs Node ${NODE_FLOOR.join(".")} or newer; this is ${process.versions.node}. ` +
        "See https://nodejs.org.",
    );
}

/** A copied .env.example counts here as it does in the server. */
function readEnvFile() {
  const file = join(ROOT, ".env");
  if (existsSync(file)) process.loadEnvFile(file);
}

/** The tests build it, with packages of its own. */
async function provideStorefront() {
  const folder = join(ROOT, "examples", "storefront");
  if (!existsSync(folder)) return;
  await providePackages(folder, { development: true, what: "packages of examples/storefront" });
}

async function build() {
  const { code } = await run(process.execPath, [join(ROOT, "scripts", "build.mjs")], {
    cwd: ROOT,
    shown: true,
  });
  if (code !== 0) process.exit(code);
}

const purpose = process.argv[2] ?? "start";
const needs = new Map(Object.entries(NEEDS)).get(purpose);
if (!needs) fail(`There is no set-up for ${purpose}; there is ${Object.keys(NEEDS).join(", ")}.`);
checkMachine();
readEnvFile();
if (needs.port) await requirePort(process.env);
await providePackages(ROOT, { development: Boolean(needs.development) });
if (needs.redis) await provideRedis(needs.redis);
if (needs.servers) await provideStorefront();
if (needs.servers) await providePostgres();
if (needs.servers) await provideBrowser();
if (needs.build) await build();
