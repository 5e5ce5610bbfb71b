#!/usr/bin/env node
/**
 * Builds src into dist: tsc, then the files that tsc leaves behind (Lua scripts, SQL migrations,
 * the schema). Does nothing when nothing under src is newer than the last build, and removes what
 * no longer has a source. `--force` builds anyway.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SRC = join(ROOT, "src");
const DIST = join(ROOT, "dist");
/** Written last: its time is the time of the last build that succeeded. */
const STAMP = join(DIST, ".built");
const LOCK = join(ROOT, ".cache", "build.lock");
/** What a build is made from besides src. */
const ALSO = ["tsconfig.json", "tsconfig.build.json", "package-lock.json", "scripts/build.mjs"].map(
  (name) => join(ROOT, name),
);

/** Every file below a folder. */
function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

/** Files that travel with the code as they are. */
export function isAsset(path) {
  const name = relative(SRC, path).split(sep).join("/");
  return (
    name.endsWith(".lua") ||
    name.startsWith("db/migrations/") ||
    name === "schema/schema.graphql" ||
    name.includes("/assets/")
  );
}

/** Every folder below one, itself included. */
function foldersUnder(folder) {
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [folder, ...below.flatMap((entry) => foldersUnder(join(folder, entry.name)))];
}

/**
 * True when some source is newer than the last build, or one was removed since (its folder is newer
 * then).
 */
function isStale() {
  if (!existsSync(STAMP)) return true;
  const builtAt = statSync(STAMP).mtimeMs;
  const sources = [
    ...filesUnder(SRC),
    ...foldersUnder(SRC),
    ...ALSO.filter((file) => existsSync(file)),
  ];
  return sources.some((path) => statSync(path).mtimeMs > builtAt);
}

/** Copies the files that tsc leaves behind. */
export function copyAssets() {
  for (const path of filesUnder(SRC).filter(isAsset)) {
    const target = join(DIST, relative(SRC, path));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
}

/**
 * Outputs whose source is gone would still be imported, read as a script or applied as a migration.
 */
export function removeOrphans() {
  for (const path of filesUnder(DIST)) {
    const name = relative(DIST, path);
    if (name.startsWith(".")) continue;
    const source = join(
      SRC,
      isAsset(join(SRC, name)) ? name : name.replace(/\.js(\.map)?$/, ".ts"),
    );
    if (!existsSync(source)) rmSync(path);
  }
}

/** Runs the compiler; its messages go where ours go. */
function compile() {
  const tsc = createRequire(join(ROOT, "package.json")).resolve("typescript/bin/tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(ROOT, "tsconfig.build.json")], {
    cwd: ROOT,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

/** One build at a time: two compilers in one folder would write into each other's files. */
function locked(work) {
  mkdirSync(dirname(LOCK), { recursive: true });
  for (;;) {
    try {
      writeFileSync(LOCK, `${process.pid}`, { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const holder = existsSync(LOCK) ? Number(readFileSync(LOCK, "utf8")) : 0;
      if (holder > 0 && !isAlive(holder)) rmSync(LOCK, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  }
  process.once("exit", () => rmSync(LOCK, { force: true }));
  return work();
}

function buildNow() {
  const startedAt = new Date();
  const from = performance.now();
  // A build that fails leaves no stamp, so the next one does not believe it.
  rmSync(STAMP, { force: true });
  if (!existsSync(join(DIST, ".tsbuildinfo"))) rmSync(DIST, { recursive: true, force: true });
  compile();
  copyAssets();
  removeOrphans();
  writeFileSync(STAMP, "");
  // What was saved while the compiler ran is newer than the build.
  utimesSync(STAMP, startedAt, startedAt);
  console.error(
    `build: compiled src into dist in ${((performance.now() - from) / 1000).toFixed(1)} s`,
  );
}

/** Builds if need be. */
export function build({ force = false } = {}) {
  if (force || isStale()) locked(() => (force || isStale()) && buildNow());
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  build({ force: process.argv.includes("--force") });
