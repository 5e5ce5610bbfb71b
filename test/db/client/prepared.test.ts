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
