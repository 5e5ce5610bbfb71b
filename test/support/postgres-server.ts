/**
 * The PostgreSQL of a test run: TEST_DATABASE_URL, else a private one on loopback that forgets
 * everything when the run ends.
 */
import { execFile } from "node:child_process";
import { chown } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { findPostgres } from "../../scripts/find.mjs";
import { freePort } from "../../scripts/free-port.mjs";
import { startGuarded } from "../../src/embedded/guarded-child.js";
import { temporaryFolder } from "./files.js";
import { upUnlessEnded } from "./until.js";

/** A server to make databases on. */
export interface PostgresServer {
  /** Superuser or at least CREATEDB, on the maintenance database. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Nothing here must outlive the run, so nothing waits for the disk. */
const SETTINGS = [
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "max_connections=300",
  "shared_buffers=128MB",
  "listen_addresses=127.0.0.1",
];

/** One in which letters beyond ASCII have upper and lower case, on every machine of its kind. */
const LOCALE = process.platform === "darwin" ? "en_US.UTF-8" : "C.UTF-8";

/**
 * Starts a private server, as an unprivileged user where we are root, because PostgreSQL refuses to
 * run as root.
 */
export async function startPostgresServer(
  env: NodeJS.ProcessEnv = process.env,
): Promise<PostgresServer> {
  if (env.TEST_DATABASE_URL) return { url: env.TEST_DATABASE_URL, stop: async () => {} };
  const bin = findPostgres(env.PATH);
  if (!bin)
    throw new Error(
      "No PostgreSQL found. `node scripts/setup.mjs test` installs one, or says what to do.",
    );
  const user = process.getuid?.() === 0 ? await nobody() : undefined;
  const folder = await temporaryFolder("postgres");
  if (user) await chown(folder.path, user.uid, user.gid);
  const data = join(folder.path, "data");
  await initdb({ bin, data, cwd: folder.path, ...(user ? { user } : {}) });
  const port = await freePort();
  const settings = [...SETTINGS, `port=${port}`, "unix_socket_directories="].flatMap((setting) => [
    "-c",
    setting,
  ]);
  const place = { cwd: folder.path, ...(user ? { user } : {}) };
  const child = await startGuarded({
    command: join(bin, "postgres"),
    args: ["-D", data, ...settings],
    stopSignal: "INT",
    ...place,
  });
  const url = `postgres://souk@127.0.0.1:${port}/postgres`;
  await upUnlessEnded("PostgreSQL", child, () => answers(url));
  return {
    url,
    async stop() {
      await child.stop();
      await folder.remove();
    },
  };
}

interface Initdb {
  readonly bin: string;
  readonly data: string;
  readonly cwd: string;
  readonly user?: { readonly uid: number; readonly gid: number };
}

async function initdb({ bin, data, cwd, user }: Initdb): Promise<void> {
  const args = [
    "-D",
    data,
    "-U",
    "souk",
    "-A",
    "trust",
    "-E",
    "UTF8",
    `--locale=${LOCALE}`,
    "--no-sync",
  ];
  await promisify(execFile)(join(bin, "initdb"), args, { cwd, ...user });
}

async function nobody(): Promise<{ uid: number; gid: number }> {
  const ask = async (flag: string) =>
    Number((await promisify(execFile)("id", [flag, "nobody"])).stdout);
  return { uid: await ask("-u"), gid: await ask("-g") };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  await client.end();
  return true;
}
