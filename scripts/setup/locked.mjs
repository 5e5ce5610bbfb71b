/**
 * Work that one process of a clone does at a time. The lock is a file that names its holder's pid
 * and whose time the holder renews. That of a dead process is taken over, and so is one that grew
 * old: pids come again, above all in containers.
 */
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../../.cache", import.meta.url));
const POLL_MS = 50;
const RENEW_MS = 1_000;
/** Longer than a system's package manager keeps its caller from renewing. */
const OLD_MS = 600_000;
/** Longer than a build; after it the wait is told. */
const TELL_MS = 3_000;

/** True for the first. */
function create(file) {
  try {
    writeFileSync(file, `${process.pid}`, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** The pid in a lock; 0 where it was released meanwhile, or is not written yet. */
function holderOf(file) {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return 0;
  }
}

/** Whether its holder is gone; false where it was released meanwhile. */
function isStale(file) {
  const { mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? {};
  if (mtimeMs === undefined) return false;
  const holder = holderOf(file);
  const isGone = holder > 0 && (holder === process.pid || !isAlive(holder));
  return isGone || Date.now() - mtimeMs > OLD_MS;
}

/** Moves it aside, which one process alone can, and looks again at what it moved. */
function removeStale(file) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    // A new holder's, made since we looked: it is put back.
    if (!isStale(aside)) renameSync(aside, file);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  rmSync(aside, { force: true });
}

async function take(file) {
  const from = performance.now();
  let told = false;
  while (!create(file)) {
    if (isStale(file)) removeStale(file);
    await delay(POLL_MS);
    if (told || performance.now() - from < TELL_MS) continue;
    console.error(`setup: waiting for process ${holderOf(file)}, which holds ${file}`);
    told = true;
  }
}

/** Does `work` under the lock of this name, and answers what it answers. */
export async function locked(name, work) {
  const file = join(CACHE, `${name}.lock`);
  mkdirSync(dirname(file), { recursive: true });
  await take(file);
  const renewal = setInterval(() => utimesSync(file, new Date(), new Date()), RENEW_MS).unref();
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    process.off("exit", release);
    release();
  }
}
