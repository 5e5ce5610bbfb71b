/**
 * The PostgreSQL of a test: a database of its own, cloned from a template that is migrated once per
 * run by whoever comes first.
 */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import type { Database } from "../../src/db/client/database.js";
import { migrate } from "../../src/db/client/migrate.js";
import { openDatabase } from "../../src/db/client/open.js";
import { silentTelemetry } from "../../src/domain/telemetry/telemetry.js";
import { testLog } from "./log.js";

/** One database, open. */
export interface TestDatabase {
  readonly url: string;
  readonly database: Database;
  /** Closes it and drops it. */
  close(): Promise<void>;
}

/**
 * Any number does, as long as nobody else locks it: holds everybody back while the template is
 * made.
 */
const TEMPLATE_LOCK = 7_041_978;

/** URL of the run's server with the right to make databases. */
export const adminUrl = (): string => inject("postgresUrl");

/** A migrated, empty database that nobody else uses: one per test file, made in about 50 ms. */
export async function testDatabase(): Promise<TestDatabase> {
  const { url, drop } = await emptyClone();
  const database = await open(url);
  return {
    url,
    database,
    async close() {
      await database.close();
      await drop();
    },
  };
}

/** A database with nothing in it, not migrated: for tests of the migrations themselves. */
export async function blankDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  return clone("template0");
}

async function emptyClone(): Promise<{ url: string; drop(): Promise<void> }> {
  const template = `${inject("runName")}_template`;
  await asAdmin(async (admin) => {
    await admin.query("SELECT pg_advisory_lock($1)", [TEMPLATE_LOCK]);
    const { rowCount } = await admin.query("SELECT 1 FROM pg_database WHERE datname = $1", [
      template,
    ]);
    if (!rowCount) await makeTemplate(admin, template);
  });
  return clone(template);
}

/** Made under another name first: a template that exists is a finished one. */
async function makeTemplate(admin: pg.Client, template: string): Promise<void> {
  const draft = `${template}_draft`;
  await admin.query(`DROP DATABASE IF EXISTS ${draft}`);
  await admin.query(`CREATE DATABASE ${draft} TEMPLATE template0`);
  const database = await open(urlOf(draft));
  await migrate(database, testLog()).finally(() => database.close());
  await admin.query(`ALTER DATABASE ${draft} RENAME TO ${template}`);
}

async function clone(template: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `${inject("runName")}_${randomBytes(6).toString("hex")}`;
  await asAdmin((admin) => admin.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return {
    url: urlOf(name),
    drop: () =>
      asAdmin(
        async (admin) => void (await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
      ),
  };
}

const open = (url: string): Promise<Database> =>
  openDatabase({
    url,
    dataDir: "unused",
    poolSize: 5,
    timeoutMs: 10_000,
    telemetry: silentTelemetry,
    log: testLog(),
  });

function urlOf(database: string): string {
  const url = new URL(adminUrl());
  url.pathname = `/${database}`;
  return url.href;
}

async function asAdmin<T>(work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: adminUrl() });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}
