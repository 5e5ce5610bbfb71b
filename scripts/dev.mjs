#!/usr/bin/env node
/**
 * `npm run dev`: builds on every change of src and starts the server again once the build succeeds.
 * The compiler watches beside it and prints errors of types; they stop nothing. Ctrl-C stops
 * everything.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

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

const node = (args, env = process.env) =>
  spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "inherit", "inherit"] });

async function stopServer() {
  const running = server;
  if (!running || running.exitCode !== null || running.signalCode !== null) return;
  const ended = once(running, "exit");
  running.kill("SIGTERM");
  await ended;
}

/** A build that fails has said why; the server of the build before runs on. */
async function restart() {
  const [code] = await once(node([join(ROOT, "scripts", "build.mjs")]), "exit");
  if (code !== 0 || stopping) return;
  await stopServer();
  if (stopping) return;
  server = node([join(ROOT, "dist", "main.js")], { SHUTDOWN_MS, ...process.env });
}

function scheduleRestart() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    restarting = restarting.then(restart);
  }, SETTLE_MS);
}

const sources = watch(SRC, { recursive: true }, scheduleRestart);
const types = node([tsc, "--noEmit", "--watch", "--preserveWatchOutput"]);
scheduleRestart();

async function stop() {
  if (stopping) return;
  stopping = true;
  clearTimeout(timer);
  sources.close();
  types.kill();
  await restarting;
  await stopServer();
  process.exit(0);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
