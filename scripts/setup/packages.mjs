/**
 * The npm packages: those that a start needs, or all of them with the development packages.
 *
 * What is installed is compared with the lockfile by content, because a checkout changes the times
 * of files. npm writes its own list last, so an install that was cut short counts as none. Packages
 * that are there are never taken away: where only some are missing, those are added beside a server
 * that may run.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { locked } from "./locked.mjs";
import { runNpm } from "./run.mjs";
import { fail, lastLines, step } from "./say.mjs";

const DECLARED = ["dependencies", "devDependencies", "optionalDependencies"];

/** A missing or cut-off file holds no list. */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

const isDevelopment = (entry) => Boolean(entry.dev || entry.devOptional);

/** Whether a package of the lockfile is installed as it says, or may be absent. */
function isMet(entry, found) {
  if (found) return found.version === entry.version && found.integrity === entry.integrity;
  return Boolean(entry.optional || entry.devOptional);
}

/**
 * What is installed of what the lockfile wants.
 * @returns {{ runtime: boolean, all: boolean, some: boolean, development: boolean }} the packages
 * of a start, and all packages, as locked; any, and any development package
 */
export function stateOf(root) {
  const installed = readJson(join(root, "node_modules", ".package-lock.json"))?.packages;
  if (!installed) return { runtime: false, all: false, some: false, development: false };
  const wanted = Object.entries(readJson(join(root, "package-lock.json"))?.packages ?? {});
  const packages = wanted.filter(([path]) => path !== "");
  const met = (entries) => entries.every(([path, entry]) => isMet(entry, installed[path]));
  return {
    runtime: met(packages.filter(([, entry]) => !isDevelopment(entry))),
    all: met(packages),
    some: Object.keys(installed).length > 0,
    development: Object.values(installed).some((entry) => entry.dev),
  };
}

/** `npm ci` refuses a manifest that the lockfile does not match; adding must not hide that. */
function lockMatchesManifest(root) {
  const manifest = readJson(join(root, "package.json")) ?? {};
  const locked = readJson(join(root, "package-lock.json"))?.packages?.[""] ?? {};
  return DECLARED.every((kind) => isDeepStrictEqual(manifest[kind] ?? {}, locked[kind] ?? {}));
}

/** The words for npm that bring what is missing; null when nothing is. */
export function npmWords(root, { development }) {
  const state = stateOf(root);
  if (development ? state.all : state.runtime) return null;
  const kept = development || state.development;
  const which = kept ? "--include=dev" : "--omit=dev";
  // Nothing that a running server may still load is removed.
  if (state.runtime && lockMatchesManifest(root)) return ["install", "--no-save", which];
  return ["ci", which];
}

/** Installs what is missing, whatever NODE_ENV says. */
export async function providePackages(root, needs) {
  if (npmWords(root, needs) === null) return;
  await locked("packages", async () => {
    const words = npmWords(root, needs);
    if (words === null) return;
    const { code, output } = await step(
      `${needs.what ?? "npm packages"}, by \`npm ${words.join(" ")}\``,
      () => runNpm(words, { cwd: root }),
    );
    if (code === 0 && npmWords(root, needs) === null) return;
    fail(
      `${lastLines(output, 20)}\n\nThe npm packages could not be installed; npm says why above. ` +
        "Usually the registry cannot be reached: check the network or `npm config get registry`, " +
        "then run this again.",
    );
  });
}
