/**
 * The composed application for tests: in this process, or as real processes of the built tree; each
 * over a database and a Redis prefix (or server) of its own, with a small seeded shop.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Logger } from "pino";
import { startApp as compose } from "../../src/app/compose.js";
import type { Subject } from "../../src/app/module.js";
import { configPartsOf, SUBJECTS } from "../../src/app/subjects.js";
import { readConfig } from "../../src/config/config.js";
import { seedCatalogue, seedSizes } from "../../src/db/seed/seed.js";
import type { DemoSecrets } from "../../src/server/explorer/demo-secrets.js";
import { testLog } from "./log.js";
import { MODE } from "./mode.js";
import { ensureBuilt, ROOT } from "./node-process.js";
import { type TestDatabase, testDatabase } from "./postgres.js";
import { testRedis } from "./redis.js";

/** The service token of every app under test. */
export const ADMIN_TOKEN = "test-admin-token-0123456789";

/** Every test signs up from one address. */
const MANY_SIGN_UPS = { SIGN_UP_ADDRESS_MAX: "100000", SIGN_UP_NETWORK_MAX: "100000" };

/** Every test asks from one address, and the machine may be busy with other work. */
const NO_SHEDDING = {
  LOAD_ADDRESS: "100000",
  LOAD_VIEWER: "100000",
  LOAD_WAIT_MS: "600000",
  LOAD_LAG_MS: "60000",
};

/** An app that answers. */
export interface RunningApp {
  readonly url: string;
  readonly wsUrl: string;
  readonly adminToken: string;
  readonly database: TestDatabase;
  close(): Promise<void>;
}

/** What an app is started with. */
export interface AppOptions {
  readonly env?: Record<string, string>;
  /** Products in the shop; default 200, 0 leaves it empty. */
  readonly products?: number;
  /** Share a database with another app. */
  readonly database?: TestDatabase;
  readonly redisUrl?: string;
  readonly keyPrefix?: string;
  readonly roles?: { readonly api: boolean; readonly worker: boolean };
  readonly log?: Logger;
  /** What the pages of development may show. */
  readonly demo?: DemoSecrets;
  /** Default: those of the product. */
  readonly subjects?: readonly Subject[];
}

/** A migrated database with a small shop in it. */
export async function seededDatabase(products = 200): Promise<TestDatabase> {
  const database = await testDatabase();
  if (products > 0) await seedCatalogue(database.database, seedSizes(products));
  return database;
}

/** Starts API and worker in this process. */
export async function startApp(options: AppOptions = {}): Promise<RunningApp> {
  const {
    env = {},
    products,
    roles = { api: true, worker: true },
    redisUrl = testRedis().url,
    keyPrefix = testRedis().prefix,
  } = options;
  const database = options.database ?? (await seededDatabase(products));
  const { subjects = SUBJECTS } = options;
  const variables = {
    NODE_ENV: "test",
    PORT: "0",
    LOG_LEVEL: "silent",
    ADMIN_TOKEN,
    DATABASE_URL: database.url,
    REDIS_URL: redisUrl,
    ...MANY_SIGN_UPS,
    ...NO_SHEDDING,
    ...MODE,
    ...env,
  };
  const config = readConfig(variables, configPartsOf(subjects));
  const app = await compose({
    config,
    redisUrl,
    cacheUrl: config.redis.cacheUrl ?? redisUrl,
    roles,
    log: options.log ?? testLog(),
    keyPrefix,
    subjects,
    demo: options.demo,
  });
  const url = `${app.url}/graphql`;
  return {
    url,
    wsUrl: url.replace("http", "ws"),
    adminToken: ADMIN_TOKEN,
    database,
    async close() {
      await app.close();
      if (!options.database) await database.close();
    },
  };
}

/** A process of the built tree. */
export interface AppProcess {
  readonly url: string;
  readonly wsUrl: string;
  readonly child: ChildProcess;
  /** Everything it has printed. */
  output(): string;
  /** Sends a signal; resolves to the exit code, or the signal's name. */
  end(signal?: NodeJS.Signals): Promise<number | string | null>;
}

/**
 * Starts `dist/<entry>` and waits for `ready` in its output; rejects with the output when it exits
 * first.
 */
export async function startProcess(
  args: readonly string[],
  env: Record<string, string>,
  ready = /"url":"(http[^"]+)"|ready at (http\S+?)\/graphql|worker is ready/,
): Promise<AppProcess> {
  ensureBuilt();
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH, HOME, PORT: "0", ADMIN_TOKEN, ...MANY_SIGN_UPS, ...NO_SHEDDING, ...MODE, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => printed.push(chunk.toString()));
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      printed.push(`${line}\n`);
      const match = ready.exec(line);
      if (match) resolve(match[1] ?? match[2] ?? "");
    });
    exited.then(([code]) => reject(new Error(`exit code ${code}:\n${printed.join("")}`)));
  });
  return {
    url: `${url}/graphql`,
    wsUrl: `${url.replace("http", "ws")}/graphql`,
    child,
    output: () => printed.join(""),
    async end(signal = "SIGTERM") {
      child.kill(signal);
      const [code, by] = await exited;
      return code ?? by;
    },
  };
}
