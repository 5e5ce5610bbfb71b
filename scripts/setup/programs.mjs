/**
 * Provides the programs of scripts/find.mjs where they are missing: goes through the ways of
 * ways.mjs in order, asks where it has to, and ends the run with the choices when none is left.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CACHED_PROGRAMS, findBrowser, findPostgres, findRedis } from "../find.mjs";
import { locked } from "./locked.mjs";
import { lookAtMachine } from "./machine.mjs";
import { postgresMessage, redisMessage } from "./messages.mjs";
import { installPostgres } from "./postgres.mjs";
import { buildRedis, hasImage, pullImage } from "./redis.mjs";
import { ask, fail, say, step } from "./say.mjs";
import { byApk, byApt, byBrew, byDnf } from "./system-packages.mjs";
import { consentFor, postgresWays, redisWays } from "./ways.mjs";

const CACHE = dirname(CACHED_PROGRAMS);
const REDIS_FLOOR = 7;
/** Remembers that there is no browser, so that only the first run tries. */
const NO_BROWSER = join(CACHE, "no-browser");

/** How each way is gone: null, or why it failed. */
const redisDoers = ({ engine }) => ({
  brew: () => byBrew(["redis"]),
  apt: () => byApt(["redis-server"], ["redis-server"]),
  dnf: () => byDnf(["valkey"]),
  apk: () => byApk(["redis"]),
  container: () => pullImage(engine),
  source: () => buildRedis(CACHE),
});

const postgresDoers = (machine) => ({
  brew: () => byBrew(["postgresql@16"]),
  apt: () => byApt(["postgresql"], ["postgresql"]),
  dnf: () => byDnf(["postgresql-server", "postgresql-contrib"]),
  apk: () => byApk(["postgresql", "postgresql-contrib"]),
  prebuilt: () => installPostgres(machine),
});

/** Goes one way; null, or why it led nowhere. `isThere` is asked afterwards. */
async function go(what, way, { doers, isThere }) {
  const failure = await step(`${what}, by \`${way.command}\``, doers[way.name]);
  if (failure) return `${way.command}: ${failure}`;
  return (await isThere()) ? null : `${way.command}: it is done, but ${what} is not found.`;
}

/**
 * Tries the ways in order. A failure leads to the next one, a refusal of its reader does not.
 * @returns {Promise<string | null>} null once it is there, else what went wrong
 */
async function obtain(what, { machine, ways, doers, isThere }) {
  // Another set-up may have brought it while we waited for the lock.
  if (await isThere()) return null;
  const told = [];
  for (const way of ways) {
    const consent = consentFor(way, machine);
    if (consent === "leave") {
      told.push(`SETUP_YES=1 allows set-up to run \`${way.command}\`.`);
      continue;
    }
    if (consent === "ask" && !(await ask(`there is no ${what} here. Run \`${way.command}\`?`)))
      break;
    const failure = await go(what, way, { doers, isThere });
    if (failure === null) return null;
    say(failure);
    told.push(failure);
  }
  return [`No ${what} was found.`, ...told].join("\n");
}

/** The server of `npm start`, or those that the tests start and kill themselves. */
export async function provideRedis(purpose) {
  if (purpose === "start" && process.env.REDIS_URL) return;
  const isThere = async () => findRedis() !== null || (purpose === "start" && (await hasImage()));
  if (!(await isThere())) await obtainRedis(purpose, isThere);
  const found = findRedis();
  const failure = found && tooOld(found);
  if (failure) fail(redisMessage(failure, purpose));
}

async function obtainRedis(purpose, isThere) {
  const machine = await lookAtMachine();
  const plan = {
    machine,
    ways: redisWays(machine, purpose),
    doers: redisDoers(machine),
    isThere,
  };
  const failure = await locked("redis", () => obtain("redis-server", plan));
  if (failure) fail(redisMessage(failure, purpose));
}

function tooOld(binary) {
  const { stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  const major = Number(/v=(\d+)/.exec(stdout ?? "")?.[1] ?? REDIS_FLOOR);
  return major < REDIS_FLOOR
    ? `${binary} is version ${major}; Souk needs ${REDIS_FLOOR}.0 or newer.`
    : null;
}

/** A server for the tests, which make a private cluster with it. */
export async function providePostgres() {
  const isThere = async () => findPostgres() !== null;
  if (process.env.TEST_DATABASE_URL || (await isThere())) return;
  const machine = await lookAtMachine();
  const plan = {
    machine,
    ways: postgresWays(machine),
    doers: postgresDoers(machine),
    isThere,
  };
  const failure = await locked("postgres", () => obtain("PostgreSQL", plan));
  if (failure) fail(postgresMessage(failure));
}

/** A test drives a real browser; without one it is skipped and `npm test` says so at the end. */
export async function provideBrowser() {
  if (findBrowser() || existsSync(NO_BROWSER)) return;
  const failure = await obtainBrowser();
  if (!failure) return;
  const last = failure.split("\n").at(-1);
  say(`no browser (${last}); the tests that need one are left out`);
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(NO_BROWSER, `${failure}\nDelete this file to let setup try again.\n`);
}

async function obtainBrowser() {
  const machine = await lookAtMachine();
  // Ubuntu's package of that name is a snap in disguise, which needs a running snapd.
  const isUbuntu = () => /^ID=ubuntu$/m.test(readFileSync("/etc/os-release", "utf8"));
  const mayUseApt = machine.isRoot && machine.commands.includes("apt-get");
  if (!mayUseApt || isUbuntu()) return "no way to install one here";
  const ways = [{ name: "apt", command: "apt-get install chromium" }];
  const doers = { apt: () => byApt(["chromium"]) };
  return obtain("chromium", { machine, ways, doers, isThere: async () => findBrowser() !== null });
}
