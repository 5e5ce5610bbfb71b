#!/usr/bin/env node
/**
 * Everything a fresh clone lacks, before any script that needs it: the npm packages, a Redis server
 * to start, and for the tests PostgreSQL and a browser. Says what it does; does nothing, and says
 * nothing, when all is there.
 *
 *   node scripts/setup.mjs deps     the npm packages
 *   node scripts/setup.mjs start    and a redis-server, unless REDIS_URL names one
 *   node scripts/setup.mjs test     and PostgreSQL, unless TEST_DATABASE_URL names one, and a
 *                                   browser if one can be had
 *
 * Depends on nothing but Node: it runs before `npm ci`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBrowser, findCommand, findPostgres, REDIS_SERVERS } from "./find.mjs";
import { install, mayInstall } from "./install.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const NODE_FLOOR = [20, 19];
const REDIS_FLOOR = 7;
/** Remembers that no browser could be installed, so that only the first run tries. */
const NO_BROWSER = join(ROOT, ".cache", "no-browser");

const say = (text) => console.error(`setup: ${text}`);

function fail(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const enough = major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1]);
  if (!enough)
    fail(
      `Souk needs Node ${NODE_FLOOR.join(".")} or newer; this is ${process.versions.node}. ` +
        "See https://nodejs.org.",
    );
}

/**
 * Compares what is installed with the lockfile: by content, because a checkout changes the times of
 * files.
 */
function packagesAreThere() {
  const installed = lockedPackages(join(ROOT, "node_modules", ".package-lock.json"));
  const wanted = lockedPackages(join(ROOT, "package-lock.json"));
  if (!installed) return false;
  return Object.entries(wanted ?? {}).every(([path, entry]) => {
    const found = installed[path];
    const skippable = path === "" || entry.optional || entry.devOptional;
    return found
      ? found.version === entry.version && found.integrity === entry.integrity
      : skippable;
  });
}

function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return null;
  }
}

/** Development packages too, whatever NODE_ENV says: the build needs the compiler. */
function installPackages() {
  if (packagesAreThere()) return;
  say("installing the npm packages (npm ci)");
  const npm = process.env.npm_execpath;
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund"];
  const [command, before] = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  const { status } = spawnSync(command, [...before, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0)
    fail(
      "The npm packages could not be installed; npm says why above. Usually the registry " +
        "cannot be reached: check the network or `npm config get registry`, then run this " +
        "again.",
    );
}

function needRedis({ forTests }) {
  const found = findCommand(REDIS_SERVERS);
  const failure = found ? tooOld(found) : installRedis();
  if (failure) fail(redisMessage(failure, forTests));
}

function tooOld(binary) {
  const { stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  const major = Number(/v=(\d+)/.exec(stdout ?? "")?.[1] ?? REDIS_FLOOR);
  return major < REDIS_FLOOR
    ? `${binary} is version ${major}; Souk needs ${REDIS_FLOOR}.0 or newer.`
    : null;
}

function installRedis() {
  if (!mayInstall()) return "No redis-server or valkey-server was found on PATH.";
  say("installing redis-server (apt-get; the service is not started)");
  const failure = install("redis-server", ["redis-server"]);
  if (failure)
    return `No redis-server was found on PATH, and apt-get could not install it:\n${failure}`;
  return findCommand(REDIS_SERVERS)
    ? null
    : "apt-get installed redis-server, but it is not on PATH.";
}

function redisMessage(failure, forTests) {
  const rest = forTests
    ? "The tests start and kill servers of their own, so they need the first; `npm start` " +
      "takes any."
    : "Then `npm start` again.";
  return (
    `${failure}\n` +
    `Souk keeps live data in Redis (${REDIS_FLOOR}.0 or newer, or Valkey). Three ways to get ` +
    "one:\n" +
    "  1. a system package   sudo apt-get install redis-server  ·  brew install redis  ·  " +
    "sudo dnf install valkey\n" +
    "  2. a container        docker run -d -p 127.0.0.1:6379:6379 redis:7, then " +
    "REDIS_URL=redis://127.0.0.1:6379 npm start\n" +
    "  3. one you have       REDIS_URL=redis://user:password@host:6379 npm start\n" +
    rest
  );
}

function needPostgres() {
  if (process.env.TEST_DATABASE_URL || findPostgres()) return;
  const failure = installPostgres();
  if (failure) {
    fail(
      `${failure}\n` +
        "The tests run against a real PostgreSQL (15 or newer). Three ways to get one:\n" +
        "  1. a system package   sudo apt-get install postgresql  ·  brew install postgresql@16  " +
        "·  sudo dnf install postgresql-server\n" +
        "  2. a container        docker run -d -p 127.0.0.1:5432:5432 " +
        "-e POSTGRES_PASSWORD=test postgres:16,\n" +
        "                        then " +
        "TEST_DATABASE_URL=postgres://postgres:test@127.0.0.1:5432/postgres npm test\n" +
        "  3. one you have       TEST_DATABASE_URL=postgres://... npm test (the user needs " +
        "CREATEDB; databases it makes are called souk_test_*)",
    );
  }
}

function installPostgres() {
  if (!mayInstall()) return "No PostgreSQL (initdb and postgres) was found.";
  say("installing postgresql (apt-get; the service is not started)");
  const failure = install("postgresql", ["postgresql"]);
  if (failure) return `No PostgreSQL was found, and apt-get could not install it:\n${failure}`;
  return findPostgres()
    ? null
    : "apt-get installed postgresql, but initdb is in none of the usual places.";
}

/** A test drives a real browser; without one it is skipped and `npm test` says so at the end. */
function wantBrowser() {
  if (findBrowser() || existsSync(NO_BROWSER)) return;
  // Ubuntu's package of that name is a snap in disguise, which needs a running snapd.
  const possible = mayInstall() && !/^ID=ubuntu$/m.test(readFileSync("/etc/os-release", "utf8"));
  if (possible) say("installing chromium (apt-get), for the test of the explorer");
  const failure = possible ? install("chromium") : "no way to install one here";
  if (!failure) return;
  say(`no browser (${failure.split("\n").at(-1)}); the tests that need one are left out`);
  mkdirSync(join(ROOT, ".cache"), { recursive: true });
  writeFileSync(NO_BROWSER, `${failure}\nDelete this file to let setup try again.\n`);
}

/** A copied .env.example counts here as it does in the server. */
function readEnvFile() {
  const file = join(ROOT, ".env");
  if (existsSync(file)) process.loadEnvFile(file);
}

const purpose = process.argv[2] ?? "start";
checkNode();
readEnvFile();
installPackages();
if (purpose === "start" && !process.env.REDIS_URL) needRedis({ forTests: false });
if (purpose === "test") {
  needRedis({ forTests: true });
  needPostgres();
  wantBrowser();
}
