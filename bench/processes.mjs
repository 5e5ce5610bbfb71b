/**
 * The processes of a bench: private servers on loopback and the servers measured. Each is ended by
 * its pid, by the test bench's own end at the latest, also after a failure or Ctrl-C.
 */
import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../scripts/free-port.mjs";

const children = new Set();
const folders = new Set();
const clients = new Set();

/** Ends everything that was started and removes every folder. */
export async function stopAll() {
  await Promise.all([...clients].map((close) => close()));
  clients.clear();
  await Promise.all([...children].map(({ stop }) => stop()));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => void stopAll().finally(() => process.exit(1)));
// The last resort of a crash: nothing may outlive the bench.
process.on("exit", () => {
  for (const { child } of children) child.kill("SIGKILL");
});

/** Starts a process. Its output is kept and shown when it ends before it was told to. */
export function start(
  name,
  command,
  args,
  { env = process.env, signal = "SIGTERM", ...options } = {},
) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env, ...options });
  let output = "";
  const keep = (chunk) => {
    output = (output + chunk).slice(-8_192);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = new Promise((resolve) => child.once("close", resolve));
  const failed = new Promise((_, reject) => {
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`${name} ended with code ${code}:\n${output}`)));
  });
  failed.catch(() => {});
  const running = {
    child,
    pid: child.pid,
    /** Asks it to end, and kills it when it does not. */
    async stop() {
      children.delete(running);
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      const killer = setTimeout(() => child.kill("SIGKILL"), 30_000);
      await ended;
      clearTimeout(killer);
    },
    /** Waits until `check` holds; rejects as soon as the process ends. */
    until: (check) => Promise.race([failed, waitUntil(name, check)]),
  };
  children.add(running);
  return running;
}

/** Asks until the answer is true; a question that throws counts as "not yet". */
export async function waitUntil(what, check, seconds = 60) {
  const giveUpAt = performance.now() + 1_000 * seconds;
  let failure;
  while (performance.now() < giveUpAt) {
    try {
      if (await check()) return;
    } catch (error) {
      failure = error;
    }
    await delay(20);
  }
  throw new Error(`${what} was not there after ${seconds} s`, { cause: failure });
}

/** A folder that goes with the bench. */
export function temporaryFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `souk-bench-${name}-`));
  folders.add(folder);
  return folder;
}

/** A private redis-server without persistence. */
export async function startRedis() {
  const port = await freePort();
  const command = process.env.REDIS_SERVER ?? "redis-server";
  const args = [
    "--port",
    `${port}`,
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    temporaryFolder("redis"),
  ];
  const server = start("redis-server", command, args);
  const { Redis } = await import("ioredis");
  const redis = new Redis({ host: "127.0.0.1", port, lazyConnect: true });
  redis.on("error", () => {});
  clients.add(() => redis.disconnect());
  await server.until(async () => (await redis.ping()) === "PONG");
  return { url: `redis://127.0.0.1:${port}`, redis, pid: server.pid };
}

/**
 * A private PostgreSQL, as an unprivileged user where we are root, with pg_stat_statements to count
 * by.
 */
export async function startPostgres() {
  const bin = findPostgres();
  const port = await freePort();
  const folder = temporaryFolder("postgres");
  const user = process.getuid?.() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : {};
  if ("uid" in user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const initdb = [
    "-D",
    data,
    "-U",
    "souk",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
  ];
  execFileSync(join(bin, "initdb"), initdb, { cwd: folder, stdio: "ignore", ...user });
  const settings = [
    "fsync=off",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    `port=${port}`,
    "shared_preload_libraries=pg_stat_statements",
  ];
  const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  const server = start("postgres", join(bin, "postgres"), args, {
    cwd: folder,
    signal: "SIGINT",
    ...user,
  });
  const { default: pg } = await import("pg");
  const url = `postgres://souk@127.0.0.1:${port}/postgres`;
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on("error", () => {});
  clients.add(() => pool.end());
  await server.until(async () => (await pool.query("SELECT 1")).rowCount === 1);
  await pool.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
  return { url, pool, pid: server.pid };
}

const idOf = (flag) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));

function findPostgres() {
  const debian = existsSync("/usr/lib/postgresql")
    ? readdirSync("/usr/lib/postgresql").sort((a, b) => b - a)
    : [];
  const places = [
    ...(process.env.PATH ?? "").split(delimiter),
    ...debian.map((version) => `/usr/lib/postgresql/${version}/bin`),
  ];
  const found = places.find(
    (place) => existsSync(join(place, "initdb")) && existsSync(join(place, "postgres")),
  );
  if (!found) throw new Error("No PostgreSQL found: install it (initdb and postgres).");
  return found;
}

/** The same for a process and its children, those included that have ended and were waited for. */
export function familyMicros(pid) {
  const children = readdirSync("/proc").filter(
    (name) => /^\d+$/.test(name) && parentOf(name) === pid,
  );
  const ended = statOf(pid);
  return (
    cpuMicros(pid) +
    (Number(ended[13]) + Number(ended[14])) * 10_000 +
    children.reduce((sum, child) => sum + cpuOrNone(child), 0)
  );
}

function cpuOrNone(pid) {
  try {
    return cpuMicros(pid);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

function parentOf(pid) {
  try {
    return Number(statOf(pid)[1]);
  } catch {
    return 0;
  }
}

/** CPU time that a process has used so far, in µs. Linux counts it in ticks of 10 ms. */
export function cpuMicros(pid) {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Memory of a process in MiB: resident now, and the most so far. */
export function memoryMiB(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)[1]) / 1024;
  return { now: mib("VmRSS"), peak: mib("VmHWM") };
}

/** What /proc says of a process, from its state on. */
function statOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command's name may hold spaces; the fields after it do not.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
