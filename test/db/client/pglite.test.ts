/** PGlite in its thread: what crosses the border, whom it holds up, and how it ends. */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Database } from "../../../src/db/client/database.js";
import { openDatabase } from "../../../src/db/client/open.js";
import { startPgliteThread } from "../../../src/db/client/pglite-thread.js";
import { DatabaseUnavailable, StartupError } from "../../../src/domain/errors.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { temporaryFolder } from "../../support/files.js";
import { testLog } from "../../support/log.js";
import { until } from "../../support/until.js";

const open = (dataDir: string): Promise<Database> =>
  openDatabase({
    dataDir,
    poolSize: 1,
    timeoutMs: 10_000,
    telemetry: silentTelemetry,
    log: testLog(),
  });

let database: Database;

beforeAll(async () => {
  database = await open("memory://");
  await database.query(sql`CREATE TABLE notes (id bigint PRIMARY KEY, body text NOT NULL)`);
});
afterAll(() => database?.close());

const bodies = async (on: Database = database): Promise<string[]> =>
  (await on.query<{ body: string }>(sql`SELECT body FROM notes ORDER BY id`)).map(
    ({ body }) => body,
  );

/** A folder with a database of one note. */
async function folderWithNote(): Promise<{ path: string; opened: Database }> {
  const { path, remove } = await temporaryFolder("pglite");
  onTestFinished(remove);
  const opened = await open(join(path, "postgres"));
  onTestFinished(() => opened.close());
  await opened.query(sql`CREATE TABLE notes (id bigint PRIMARY KEY, body text NOT NULL)`);
  await opened.query(sql`INSERT INTO notes VALUES (1, 'kept')`);
  return { path, opened };
}

test("The event loop turns while a statement runs.", async () => {
  let done = false;
  let turns = 0;
  const long = database
    .query(sql`SELECT count(*) FROM generate_series(1, 3000000) AS n WHERE n % 7 = 0`)
    .finally(() => {
      done = true;
    });
  while (!done) {
    await turn();
    turns += 1;
  }
  await long;
  // In the same thread the loop turns once or twice.
  expect(turns).toBeGreaterThan(100);
});

test("Values keep their types across the border.", async () => {
  const at = new Date("2026-11-03T04:05:06.789Z");
  const bytes = new Uint8Array([0, 1, 255]);
  const [row] = await database.query(sql`
    SELECT ${at}::timestamptz AS at, ${bytes}::bytea AS bytes, ${null}::text AS nothing,
      9007199254740991::bigint AS big, ${sql.param(["a,b", null, 'c"'])}::text[] AS texts,
      ${JSON.stringify({ a: [1, null] })}::jsonb AS json, ${true}::boolean AS yes`);
  expect(row).toEqual({
    at,
    bytes,
    nothing: null,
    big: Number.MAX_SAFE_INTEGER,
    texts: ["a,b", null, 'c"'],
    json: { a: [1, null] },
    yes: true,
  });
});

test("An error keeps message, SQLSTATE and details, without the values of its statement.", async () => {
  await database.query(sql`INSERT INTO notes VALUES (1, 'one') ON CONFLICT DO NOTHING`);
  const failure = await database.query(sql`INSERT INTO notes VALUES (1, 'secret')`).catch((e) => e);
  expect(failure).toBeInstanceOf(Error);
  expect(failure).toMatchObject({
    code: "23505",
    constraint: "notes_pkey",
    table: "notes",
    severity: "ERROR",
    message: expect.stringContaining("duplicate key"),
  });
  expect(JSON.stringify({ ...failure })).not.toContain("secret");
  await expect(database.query(sql`SELECT 1 FROM notes FOR UPDATE NOWAIT`)).resolves.toHaveLength(1);
});

test("A state that means unavailable is called so.", async () => {
  const query = sql`DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$`;
  await expect(database.query(query)).rejects.toMatchObject({
    name: "DatabaseUnavailable",
    cause: { code: "53100", message: "no room" },
  });
});

test("A transaction is alone: statements that come meanwhile wait for its end.", async () => {
  await database.query(sql`DELETE FROM notes`);
  const seen: string[][] = [];
  let outside: Promise<unknown> = Promise.resolve();
  await database.transaction(async (tx) => {
    await tx.query(sql`INSERT INTO notes VALUES (1, 'one')`);
    outside = bodies().then((read) => seen.push(read));
    // A statement that did not wait would be answered by now.
    for (let i = 0; i < 3; i++) await tx.query(sql`SELECT 1`);
    await tx.query(sql`INSERT INTO notes VALUES (2, 'two')`);
    expect(seen).toEqual([]);
  });
  await outside;
  expect(seen).toEqual([["one", "two"]]);
});

test("A transaction that rejects leaves nothing, and the next one runs.", async () => {
  await database.query(sql`DELETE FROM notes`);
  const failing = database.transaction(async (tx) => {
    await tx.query(sql`INSERT INTO notes VALUES (1, 'one')`);
    throw new Error("changed my mind");
  });
  const next = database.transaction((tx) => tx.query(sql`INSERT INTO notes VALUES (2, 'two')`));
  await expect(failing).rejects.toThrow("changed my mind");
  await next;
  expect(await bodies()).toEqual(["two"]);
});

test("A transaction whose work swallowed an error is not called committed.", async () => {
  const work = database.transaction(async (tx) => {
    await tx.query(sql`SELECT 1 / 0`).catch(() => {});
  });
  await expect(work).rejects.toMatchObject({ code: "25P02" });
});

test("A statement after the end of its transaction is refused.", async () => {
  const late = await database.transaction(async (tx) => tx);
  await expect(late.query(sql`SELECT 1`)).rejects.toThrow("has ended");
});

test("A listener hears its channel alone, in order, until it is closed.", async () => {
  const heard: string[] = [];
  const listening = await database.listen("news", (payload) => heard.push(payload));
  const others = await database.listen("other", (payload) => heard.push(`other ${payload}`));
  for (const text of ["one", "two"]) await database.query(sql`SELECT pg_notify('news', ${text})`);
  await until("both", () => heard.length === 2);
  await listening.close();
  await database.query(sql`SELECT pg_notify('news', 'unheard'), pg_notify('other', 'last')`);
  await until("the last", () => heard.includes("other last"));
  expect(heard).toEqual(["one", "two", "other last"]);
  await others.close();
});

test("Closing waits for what was asked before, loses nothing, and refuses the rest.", async () => {
  const { path, opened } = await folderWithNote();
  const listening = await opened.listen("news", () => {});
  const transaction = opened.transaction(async (tx) => {
    await tx.query(sql`SELECT pg_sleep(0.01)`);
    await tx.query(sql`INSERT INTO notes VALUES (2, 'in a transaction')`);
  });
  const statement = opened.query(sql`INSERT INTO notes VALUES (3, 'alone')`);
  const closed = opened.close();
  const refused = expect(opened.ping()).rejects.toBeInstanceOf(DatabaseUnavailable);
  await Promise.all([transaction, statement, closed, refused, opened.close()]);
  await listening.close();
  const again = await open(join(path, "postgres"));
  expect(await bodies(again)).toEqual(["kept", "in a transaction", "alone"]);
  await again.close();
});

test("A folder that cannot be opened ends the start with its reason.", async () => {
  const failure = await open("/dev/null/postgres").catch((error) => error);
  expect(failure).toBeInstanceOf(StartupError);
  expect(failure.message).toMatch(/\/dev\/null\/postgres cannot be opened: .+ Mend it/);
});

test("A folder that was replaced while it was open is neither read nor written.", async () => {
  const { path, opened } = await folderWithNote();
  const place = join(path, "postgres");
  await rename(place, join(path, "moved"));
  await mkdir(place);
  const failure = { cause: { code: "58P01", message: expect.stringContaining("replaced") } };
  await expect(opened.query(sql`INSERT INTO notes VALUES (2, 'lost')`)).rejects.toMatchObject(
    failure,
  );
  await expect(opened.transaction((tx) => tx.query(sql`SELECT 1`))).rejects.toMatchObject(failure);
  await opened.close();
  expect(await readdir(place)).toEqual([]);
  await rm(place, { recursive: true });
  await rename(join(path, "moved"), place);
  const again = await open(place);
  expect(await bodies(again)).toEqual(["kept"]);
  await again.close();
});

/** A thread that opens, and then does something with the first statement. */
const threadThat = (does: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from "node:worker_threads";
      const [opened] = [{ rows: [] }];
      parentPort.on("message", ({ id, kind }) => {
        if (kind === "open") parentPort.postMessage({ id, result: opened });
        else { ${does} }
      });`)}`,
  );

const ENDINGS = [
  ["throws", 'throw new Error("out of memory");', "out of memory"],
  ["exits", "process.exit(7);", "code 7"],
  ["breaks", 'parentPort.postMessage({ broken: "PANIC" }); process.exit(1);', "PANIC"],
] as const;

test.each(ENDINGS)(
  "A thread that %s fails every call, reports it once, and closes.",
  async (_, does, reason) => {
    const deaths: string[] = [];
    const thread = await startPgliteThread({
      dataDir: "memory://",
      file: threadThat(does),
      onDeath: ({ message }) => deaths.push(message),
    });
    const task = { kind: "query", text: "SELECT 1", values: [] } as const;
    const calls = await Promise.allSettled([thread.call(task), thread.call(task)]);
    for (const call of calls)
      expect(call).toMatchObject({
        reason: {
          name: "DatabaseUnavailable",
          cause: { message: expect.stringContaining(reason) },
        },
      });
    await expect(thread.call(task)).rejects.toBeInstanceOf(DatabaseUnavailable);
    expect(deaths).toEqual([expect.stringContaining(reason)]);
    await thread.close();
  },
);

test("A PANIC of PostgreSQL ends the database with its cause, instead of repeating for ever.", async () => {
  const { path, opened } = await folderWithNote();
  await opened.close();
  const deaths: string[] = [];
  const thread = await startPgliteThread({
    dataDir: join(path, "postgres"),
    onDeath: ({ message }) => deaths.push(message),
  });
  const run = (text: string) => thread.call({ kind: "query", text, values: [] });
  await run("INSERT INTO notes VALUES (2, 'in the log that is there')");
  await rm(join(path, "postgres", "pg_wal"), { recursive: true });
  await run("SELECT pg_switch_wal()");
  const failure = await run("INSERT INTO notes VALUES (3, 'lost')").catch((error) => error);
  expect(failure).toBeInstanceOf(DatabaseUnavailable);
  await until("the end to be reported", () => deaths.length > 0);
  expect(deaths).toEqual([expect.stringMatching(/^could not create file "pg_wal/)]);
});

test("A value that no thread can be given fails its statement alone.", async () => {
  await expect(database.query(sql`SELECT ${() => {}}::text`)).rejects.toThrow();
  await database.ping();
});

test("A thread is gone once its database is closed.", async () => {
  const threads = () => {
    const { workers } = process.report.getReport() as unknown as { workers: unknown[] };
    return workers.length;
  };
  const before = threads();
  const opened = await open("memory://");
  expect(threads()).toBe(before + 1);
  await opened.close();
  expect(threads()).toBe(before);
});
