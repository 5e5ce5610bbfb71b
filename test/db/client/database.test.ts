/** Connections to PostgreSQL that are lost, refused, slow or killed. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../scripts/free-port.mjs";
import type { Database } from "../../../src/db/client/database.js";
import { openDatabase } from "../../../src/db/client/open.js";
import { DatabaseUnavailable, StartupError } from "../../../src/domain/errors.js";
import type { Telemetry } from "../../../src/domain/telemetry/telemetry.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { rememberingLog, testLog } from "../../support/log.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { startPostgresServer } from "../../support/postgres-server.js";
import { until } from "../../support/until.js";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.close());

interface Changes {
  readonly poolSize?: number;
  readonly timeoutMs?: number;
  readonly telemetry?: Telemetry;
}

async function open(url: string, changes: Changes = {}): Promise<Database> {
  const database = await openDatabase({
    url,
    dataDir: "unused",
    poolSize: 2,
    timeoutMs: 5_000,
    telemetry: silentTelemetry,
    log: testLog(),
    ...changes,
  });
  onTestFinished(() => database.close());
  return database;
}

/** Ends every other connection of this database, as a restart of the server would. */
const cutAll = () =>
  db.database.query(
    sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );

describe("a start that cannot go on names host and port, never the password", () => {
  const start = (url: string) =>
    open(url, { timeoutMs: 1_000 }).then(
      () => "started",
      (error: Error) => error,
    );

  test("A server that does not listen is named.", async () => {
    const port = await freePort();
    const error = await start(`postgres://souk:s3cret@127.0.0.1:${port}/shop`);
    expect(error).toBeInstanceOf(StartupError);
    expect(`${error}`).toContain(`127.0.0.1:${port}`);
    expect(`${error} ${(error as Error).stack}`).not.toContain("s3cret");
  });

  test("A server that accepts and never answers is named.", async () => {
    const sockets = new Set<import("node:net").Socket>();
    const server = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as { port: number };
    const error = await start(`postgres://souk:s3cret@127.0.0.1:${port}/shop`);
    expect(error).toBeInstanceOf(StartupError);
    expect(`${error}`).toContain(`127.0.0.1:${port}`);
  });

  test("A database that does not exist ends the start.", async () => {
    const url = new URL(db.url);
    url.pathname = "/no_such_shop";
    expect(await start(url.href)).toBeInstanceOf(StartupError);
  });
});

test("An overlong statement is cut off as unavailable, and its connection goes on.", async () => {
  const database = await open(db.url, { poolSize: 1, timeoutMs: 300 });
  await expect(database.query(sql`SELECT pg_sleep(60)`)).rejects.toBeInstanceOf(
    DatabaseUnavailable,
  );
  await database.ping();
});

test("A patient transaction may take longer than one statement.", async () => {
  const database = await open(db.url, { timeoutMs: 200 });
  await database.transaction((tx) => tx.query(sql`SELECT pg_sleep(0.5)`), { patient: true });
  await expect(
    database.transaction((tx) => tx.query(sql`SELECT pg_sleep(60)`)),
  ).rejects.toBeInstanceOf(DatabaseUnavailable);
  await database.ping();
});

test("A statement without a free connection waits no longer than the time-out.", async () => {
  const database = await open(db.url, { poolSize: 1, timeoutMs: 300 });
  await database.transaction(
    async () => {
      await expect(database.query(sql`SELECT 1`)).rejects.toBeInstanceOf(DatabaseUnavailable);
    },
    { patient: true },
  );
});

test("A mistake in a statement is not called unavailable, and is rolled back.", async () => {
  const database = await open(db.url, { poolSize: 1 });
  await expect(database.query(sql`SELECT 1 / 0`)).rejects.not.toBeInstanceOf(DatabaseUnavailable);
  await expect(database.transaction((tx) => tx.query(sql`SELECT nonsense`))).rejects.toThrow(
    /nonsense/,
  );
  await database.ping();
});

test("Connections that the server cuts cost the statements under way, no others.", async () => {
  const { log } = rememberingLog();
  const database = await openDatabase({
    url: db.url,
    dataDir: "unused",
    poolSize: 3,
    timeoutMs: 5_000,
    telemetry: silentTelemetry,
    log,
  });
  const sleeping = expect(database.query(sql`SELECT pg_sleep(60)`)).rejects.toBeInstanceOf(
    DatabaseUnavailable,
  );
  const inside = expect(
    database.transaction(async (tx) => {
      await tx.query(sql`SELECT 1`);
      await until("the statement to run", async () => (await cutAll()).length >= 2);
      await tx.query(sql`SELECT 1`);
    }),
  ).rejects.toBeInstanceOf(DatabaseUnavailable);
  await Promise.all([sleeping, inside]);
  await until("the pool to be whole", () => database.ping().then(() => true));
  await Promise.all(Array.from({ length: 6 }, () => database.ping()));
  await database.close();
});

test("A listener that is cut reports it, reconnects, and asks to look again.", async () => {
  const database = await open(db.url);
  const heard: string[] = [];
  let losses = 0;
  await database.listen(
    'odd "channel"',
    (payload) => heard.push(payload),
    () => losses++,
  );
  await db.database.query(sql`SELECT pg_notify('odd "channel"', 'one')`);
  await until("the first", () => heard.includes("one"));
  await cutAll();
  await until("the return", () => heard.includes(""));
  expect(losses).toBe(1);
  await db.database.query(sql`SELECT pg_notify('odd "channel"', 'two')`);
  await until("the second", () => heard.includes("two"));
  expect(heard).toEqual(["one", "", "two"]);
});

test("A closed listener gets no notification and does not reconnect.", async () => {
  const database = await open(db.url);
  const listening = await database.listen("closing", () => {});
  await listening.close();
  const [row] = await db.database.query<{ count: number }>(
    sql`SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND query LIKE 'LISTEN%closing%'
        AND pid <> pg_backend_pid()`,
  );
  expect(row?.count).toBe(0);
});

test("The process survives kill -9 of the server: clean errors and a lost listener.", async () => {
  const server = await startPostgresServer({ PATH: process.env.PATH });
  onTestFinished(() => server.stop());
  const database = await openDatabase({
    url: server.url,
    dataDir: "unused",
    poolSize: 3,
    timeoutMs: 2_000,
    telemetry: silentTelemetry,
    log: testLog(),
  });
  let lost = false;
  await database.listen(
    "any",
    () => {},
    () => {
      lost = true;
    },
  );
  const [folder] = await database.query<{ path: string }>(
    sql`SELECT current_setting('data_directory') AS path`,
  );
  const pid = Number(
    (await readFile(join(folder?.path ?? "", "postmaster.pid"), "utf8")).split("\n")[0],
  );
  const inside = database.transaction(async (tx) => {
    process.kill(pid, "SIGKILL");
    for (;;) await tx.query(sql`SELECT 1`);
  });
  await expect(inside).rejects.toBeInstanceOf(DatabaseUnavailable);
  await until("the loss to be noticed", () => lost);
  await expect(database.ping()).rejects.toBeInstanceOf(DatabaseUnavailable);
  await database.close();
});

test("Every statement is reported with its duration, and failed ones as failed.", async () => {
  const seen: boolean[] = [];
  const database = await open(db.url, {
    telemetry: { ...silentTelemetry, sqlStatement: (_, failed) => seen.push(failed) },
  });
  await database.query(sql`SELECT 1`);
  await database.query(sql`SELECT 1 / 0`).catch(() => {});
  await database.transaction((tx) => tx.query(sql`SELECT 2`));
  expect(seen).toEqual([false, true, false]);
});
