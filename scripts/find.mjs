/**
 * Finds the programs that Souk does not bring: a Redis server to start, and for the tests
 * PostgreSQL and a browser. Looks only; scripts/setup.mjs installs, the tests start. Used by both,
 * so they always agree on what is there. What set-up keeps in .cache is found last.
 */
import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { VERSIONS } from "./setup/ways.mjs";

const CACHE = fileURLToPath(new URL("../.cache", import.meta.url));
/** Where a Redis that was built from source stands; src/embedded/redis-server.ts looks there too. */
export const CACHED_PROGRAMS = join(CACHE, "bin");
/** The prebuilt PostgreSQL: `bin`, `lib` and `share` in one folder, complete once it has the name. */
export const CACHED_POSTGRES = join(CACHE, `postgres-${VERSIONS.postgres}`);

/** Either speaks the protocol; Debian ships the first, Fedora the second. */
const REDIS_SERVERS = ["redis-server", "valkey-server"];

const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const BROWSERS_ELSEWHERE = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** @returns {string[]} the folders of a PATH */
const foldersOf = (path) => path.split(delimiter).filter(Boolean);

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The first of these commands on PATH, with its folder; null when there is none. */
export function findCommand(names, path = process.env.PATH ?? "") {
  const candidates = names.flatMap((name) => foldersOf(path).map((folder) => join(folder, name)));
  return candidates.find(isProgram) ?? null;
}

/** A Redis server, with its folder; null when there is none. */
export const findRedis = (path = process.env.PATH ?? "") =>
  findCommand(REDIS_SERVERS, [path, CACHED_PROGRAMS].join(delimiter));

/**
 * The folder that holds both `initdb` and `postgres`: on PATH, else in the usual places, newest
 * version first.
 */
export function findPostgres(path = process.env.PATH ?? "") {
  const folders = [...foldersOf(path), ...postgresPlaces()];
  return (
    folders.find((folder) =>
      ["initdb", "postgres"].every((name) => isProgram(join(folder, name))),
    ) ?? null
  );
}

function postgresPlaces() {
  const versions = listing("/usr/lib/postgresql").sort((a, b) => Number(b) - Number(a));
  const brewed = ["/opt/homebrew/opt", "/usr/local/opt"].flatMap((place) =>
    listing(place)
      .filter((name) => name.startsWith("postgresql"))
      .map((name) => join(place, name, "bin")),
  );
  const debian = versions.map((version) => `/usr/lib/postgresql/${version}/bin`);
  return [
    ...debian,
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    ...brewed,
    "/usr/pgsql/bin",
    join(CACHED_POSTGRES, "bin"),
  ];
}

function listing(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * A Chromium or Chrome that a test can drive: CHROMIUM_PATH, else on PATH or where macOS keeps it;
 * null when there is none.
 */
export function findBrowser(path = process.env.PATH ?? "") {
  const named = process.env.CHROMIUM_PATH;
  if (named && isProgram(named)) return named;
  return findCommand(BROWSERS, path) ?? BROWSERS_ELSEWHERE.find(isProgram) ?? null;
}
