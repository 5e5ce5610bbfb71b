/** Statements that are asked often are prepared, in bounded number, and none fails for it. */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Database } from "../../../src/db/client/database.js";
import { openDatabase } from "../../../src/db/client/open.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { testLog } from "../../support/log.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

/** A pool of one connection. */
async function open(): Promise<Database> {
  const database = await openDatabase({
    url: db.url,
    dataDir: "unused",
    poolSize: 1,
    timeoutMs: 5_000,
    telemetry: silentTelemetry,
    log: testLog(),
  });
  onTestFinished(() => database.close());
  return database;
}

/** What the connection has prepared. */
const preparedBy = (database: Database) =>
  database.query<{ statement: string; uses: number }>(
    sql`SELECT statement, (generic_plans + custom_plans)::int AS uses FROM pg_prepared_statements`,
  );

const times = async (count: number, work: (at: number) => Promise<unknown>): Promise<void> => {
  for (let at = 0; at < count; at += 1) await work(at);
};

test("A statement is prepared at its fifth use, and once.", async () => {
  const database = await open();
  const ask = (at: number) =>
    database.query<{ doubled: number }>(sql`SELECT ${at}::int * 2 AS doubled`);
  await times(4, ask);
  expect(await preparedBy(database)).toEqual([]);
  await times(6, ask);
  expect(await preparedBy(database)).toEqual([
    { statement: "SELECT $1::int * 2 AS doubled", uses: 6 },
  ]);
  expect(await ask(21)).toEqual([{ doubled: 42 }]);
});

test("Long texts are not prepared, and all together take a bounded length.", async () => {
  const database = await open();
  const select = (name: string, length: number) =>
    times(6, () => database.query(sql.raw(`SELECT '${name.padEnd(length, "-")}' AS value`)));
  await select("long", 2_000);
  expect(await preparedBy(database)).toEqual([]);
  for (let at = 0; at < 40; at += 1) await select(`text ${at}`, 1_900);
  const held = await preparedBy(database);
  expect(held.length).toBeGreaterThan(20);
  const lengths = held.map(({ statement }) => statement.length);
  expect(lengths.reduce((sum, length) => sum + length)).toBeLessThanOrEqual(50_000);
});

test("However many texts are asked, a connection holds 200 of them.", async () => {
  const database = await open();
  await times(300, (at) =>
    times(5, () => database.query(sql`SELECT ${sql.raw(String(at))} AS value`)),
  );
  expect(await preparedBy(database)).toHaveLength(200);
});

test("A statement in a transaction is not prepared.", async () => {
  const database = await open();
  await times(10, () => database.transaction((tx) => tx.query(sql`SELECT 1 AS one`)));
  expect(await preparedBy(database)).toEqual([]);
});

test("A column that gets another type fails no statement.", async () => {
  const database = await open();
  await database.query(sql`CREATE TABLE turned (value int)`);
  await database.query(sql`INSERT INTO turned VALUES (7)`);
  const ask = () => database.query(sql`SELECT value FROM turned`);
  await times(6, ask);
  await database.query(sql`ALTER TABLE turned ALTER value TYPE text`);
  expect(await ask()).toEqual([{ value: "7" }]);
  // It is prepared again, for the new type.
  expect(await ask()).toEqual([{ value: "7" }]);
  expect((await preparedBy(database)).map(({ uses }) => uses)).toContain(1);
});

test("A parameter whose column gets another type fails no statement.", async () => {
  const database = await open();
  await database.query(sql`CREATE TABLE asked (value int)`);
  await database.query(sql`INSERT INTO asked VALUES (7)`);
  const ask = (value: unknown) =>
    database.query(sql`SELECT value FROM asked WHERE value = ${value}`);
  await times(6, () => ask(7));
  await database.query(sql`ALTER TABLE asked ALTER value TYPE bigint`);
  expect(await ask("3000000000")).toEqual([]);
  await times(6, () => ask(7));
  await database.query(sql`ALTER TABLE asked ALTER value TYPE text`);
  expect(await ask("7")).toEqual([{ value: "7" }]);
});

test("A statement that is wrong by itself is refused, and stays prepared.", async () => {
  const database = await open();
  const cast = (text: string) => database.query(sql`SELECT ${text}::text::int AS number`);
  await times(6, () => cast("1"));
  await times(30, () => expect(cast("one")).rejects.toMatchObject({ code: "22P02" }));
  expect(await cast("2")).toEqual([{ number: 2 }]);
  const held = await preparedBy(database);
  expect(held.filter(({ statement }) => statement.includes("::text::int"))).toHaveLength(1);
});

test("Behind a pooler that forgets statements nothing fails, and no more are prepared.", async () => {
  const database = await open();
  await database.query(sql`CREATE TABLE counted (value int)`);
  await database.query(sql`INSERT INTO counted VALUES (0)`);
  const count = () =>
    database.query<{ value: number }>(sql`UPDATE counted SET value = value + 1 RETURNING value`);
  await times(6, count);
  await database.query(sql`DEALLOCATE ALL`);
  expect(await count()).toEqual([{ value: 7 }]);
  await times(6, () => database.query(sql`SELECT 2 AS two`));
  expect([await count(), await preparedBy(database)]).toEqual([[{ value: 8 }], []]);
});
