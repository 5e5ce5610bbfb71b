#!/usr/bin/env node
/**
 * `npm run dev`: compiles on every change and starts the server again once the compiler is content;
 * Lua scripts, migrations and the schema are copied and count as changes too. Ctrl-C stops
 * everything.
 */
import { spawn } from "node:child_process";
import { watch } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { copyAssets, isAsset, removeOrphans } from "./build.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SRC = join(ROOT, "src");
/** An editor saves a file in several steps. */
const SETTLE_MS = 100;
/** Nobody waits for sockets of a server that is about to come back. */
const SHUTDOWN_MS = "300";

const tsc = createRequire(join(ROOT, "package.json")).resolve("typescript/bin/tsc");
let server = null;
let restarting = Promise.resolve();
let stopping = false;
let timer;

function stopServer() {
  const running = server;
  if (!running || running.exitCode !== null || running.signalCode !== null)
    return Promise.resolve();
  return new Promise((resolve) => {
    running.once("exit", resolve);
    running.kill("SIGTERM");
  });
}

async function restart() {
  await stopServer();
  if (stopping) return;
  copyAssets();
  removeOrphans();
  const env = { SHUTDOWN_MS, ...process.env };
  server = spawn(process.execPath, [join(ROOT, "dist", "main.js")], {
    cwd: ROOT,
    env,
    stdio: "inherit",
  });
}

function scheduleRestart() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    restarting = restarting.then(restart);
  }, SETTLE_MS);
}

const compiler = spawn(
  process.execPath,
  [tsc, "-p", join(ROOT, "tsconfig.build.json"), "--watch", "--preserveWatchOutput"],
  {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  },
);
compiler.stdout.on("data", (chunk) => {
  const text = chunk.toString();
  process.stdout.write(text);
  if (/Found 0 errors/.test(text)) scheduleRestart();
});

const assets = watch(SRC, { recursive: true }, (_event, name) => {
  if (name && isAsset(join(SRC, name))) scheduleRestart();
});

async function stop() {
  if (stopping) return;
  stopping = true;
  clearTimeout(timer);
  assets.close();
  compiler.kill();
  await restarting;
  await stopServer();
  process.exit(0);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
compiler.once("exit", stop);
