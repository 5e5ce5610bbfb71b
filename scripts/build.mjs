#!/usr/bin/env node
/**
 * Builds src into dist: each file of TypeScript by itself, then the files that travel as they are
 * (Lua scripts, SQL migrations, the schema). Types are not checked here, see decision 0199. Does
 * nothing when nothing under src is newer than the last build, and removes what no longer has a
 * source. `--force` builds anyway.
 */
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
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { locked } from "./setup/locked.mjs";
import { step } from "./setup/say.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SRC = join(ROOT, "src");
const DIST = join(ROOT, "dist");
/** Written last: its time is the time of the last build that succeeded. */
const STAMP = join(DIST, ".built");
const TSCONFIG = join(ROOT, "tsconfig.json");
/** What a build is made from besides src. */
const ALSO = ["tsconfig.json", "package-lock.json", "scripts/build.mjs"].map((name) =>
  join(ROOT, name),
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

/** Copies the files that are not compiled. */
function copyAssets() {
  for (const path of filesUnder(SRC).filter(isAsset)) {
    const target = join(DIST, relative(SRC, path));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
}

/**
 * Outputs whose source is gone would still be imported, read as a script or applied as a migration.
 */
function removeOrphans() {
  for (const path of filesUnder(DIST)) {
    const name = relative(DIST, path);
    if (path === STAMP) continue;
    const source = join(
      SRC,
      isAsset(join(SRC, name)) ? name : name.replace(/\.js(\.map)?$/, ".ts"),
    );
    if (!existsSync(source)) rmSync(path);
  }
}

/**
 * Transpiles file by file. Decorators and class fields follow tsconfig.json, which esbuild reads;
 * the target it has to be told. It prints what it cannot parse, and then writes nothing.
 */
async function compile() {
  // Loaded here: most starts have nothing to build.
  const esbuild = await import("esbuild");
  const { compilerOptions } = JSON.parse(readFileSync(TSCONFIG, "utf8"));
  esbuild.buildSync({
    absWorkingDir: ROOT,
    entryPoints: filesUnder(SRC).filter((path) => /(?<!\.d)\.ts$/.test(path)),
    outdir: DIST,
    outbase: SRC,
    bundle: false,
    platform: "node",
    format: "esm",
    target: compilerOptions.target.toLowerCase(),
    tsconfig: TSCONFIG,
    // Readers of a stack have the sources beside dist, or need the positions alone.
    sourcemap: true,
    sourcesContent: false,
    charset: "utf8",
    logLevel: "warning",
  });
}

async function buildNow() {
  const startedAt = new Date();
  // A build that fails leaves no stamp, so the next one does not believe it.
  rmSync(STAMP, { force: true });
  await compile();
  copyAssets();
  removeOrphans();
  writeFileSync(STAMP, "");
  // What was saved while the compiler ran is newer than the build.
  utimesSync(STAMP, startedAt, startedAt);
}

/** Builds if need be; one at a time, because two would write into each other's files. */
async function build({ force }) {
  const mustBuild = () => force || isStale();
  if (mustBuild())
    await locked("build", () => mustBuild() && step("src built into dist", buildNow));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await build({ force: process.argv.includes("--force") });
  } catch (error) {
    // What esbuild cannot parse it has printed.
    if (!error.errors) throw error;
    process.exitCode = 1;
  }
}
