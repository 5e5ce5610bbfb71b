/**
 * Work that one process of a clone does at a time. The lock is a file that names its holder's pid;
 * that of a dead process is taken over.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../../.cache", import.meta.url));
const POLL_MS = 50;
/** Longer than a build; after it the wait is told. */
const TELL_MS = 3_000;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Written aside, then linked: a file appears with its pid. True for the first. */
function create(file) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${process.pid}`);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Removes the lock of a dead process. Only one process at a time may, and it looks again: another
 * may have removed that lock, and made its own, since `dead` was read.
 */
function removeDead(file, dead) {
  const turn = `${file}.removal`;
  if (!create(turn)) return;
  if (holderOf(file) === dead) rmSync(file, { force: true });
  rmSync(turn, { force: true });
}

/** 0 where the lock was released meanwhile. */
function holderOf(file) {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return 0;
  }
}

async function take(file) {
  const from = performance.now();
  let told = false;
  while (!create(file)) {
    const holder = holderOf(file);
    if (holder > 0 && !isAlive(holder)) removeDead(file, holder);
    else await delay(POLL_MS);
    if (told || performance.now() - from < TELL_MS) continue;
    console.error(`setup: waiting for process ${holder}, which holds ${file}`);
    told = true;
  }
}

/** Does `work` under the lock of this name, and answers what it answers. */
export async function locked(name, work) {
  const file = join(CACHE, `${name}.lock`);
  mkdirSync(dirname(file), { recursive: true });
  await take(file);
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}
