/** Concurrent writes on PostgreSQL: guards hold inside the write, in any order. */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createProductTable, type ProductTable } from "../../src/db/catalogue/products.js";
import { migrate } from "../../src/db/client/migrate.js";
import { openDatabase } from "../../src/db/client/open.js";
import { createOperationTable } from "../../src/db/operations.js";
import { createOutboxTable } from "../../src/db/outbox.js";
import { DatabaseUnavailable } from "../../src/domain/errors.js";
import { silentTelemetry } from "../../src/domain/telemetry/telemetry.js";
import { testLog } from "../support/log.js";
import { blankDatabase, type TestDatabase, testDatabase } from "../support/postgres.js";
import { draft, plantTree, put } from "./sample.js";

let db: TestDatabase;
let products: ProductTable;

beforeAll(async () => {
  db = await testDatabase();
  await plantTree(db.database);
  products = createProductTable(db.database);
});
afterAll(() => db?.close());

const times = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

test("Exactly 20 of 50 who take at once from a stock of 20 get one, in turn.", async () => {
  const { product } = await put(db.database, draft("RUSH", { stock: 20 }));
  const results = await times(50, () =>
    db.database.transaction((tx) => products.adjustStock(tx, product.id, -1)),
  );
  const taken = results.filter((result) => typeof result === "object");
  expect(results.filter((result) => result === "negative")).toHaveLength(30);
  expect(taken.map(({ before }) => before.product.stock).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  expect(
    taken.every(
      ({ before, after }) =>
        after.product.stock === before.product.stock - 1 &&
        after.product.version === before.product.version + 1,
    ),
  ).toBe(true);
  expect(await products.byIds([product.id])).toMatchObject([{ stock: 0, version: 21 }]);
});

test("Fifty repetitions of one operation at once take one piece.", async () => {
  const { product } = await put(db.database, draft("REPEAT", { stock: 20 }));
  const operations = createOperationTable(db.database);
  const results = await times(50, () =>
    db.database.transaction(async (tx) => {
      const remembered = await operations.remember(
        tx,
        "the one",
        "adjustStock",
        `${product.id}:-1`,
      );
      return remembered.first ? products.adjustStock(tx, product.id, -1) : remembered;
    }),
  );
  expect(
    results.filter(
      (result) => typeof result === "object" && "sameInput" in result && result.sameInput,
    ),
  ).toHaveLength(49);
  expect(await products.byIds([product.id])).toMatchObject([{ stock: 19, version: 2 }]);
});

test("Of 20 who create a sku at once, one creates it; the others change it in turn.", async () => {
  const results = await times(20, (index) =>
    db.database.transaction((tx) => products.upsert(tx, draft("SAME", { price: index }))),
  );
  const versions = results
    .map((result) => ("after" in result ? result.after.product.version : 0))
    .sort((a, b) => a - b);
  expect(versions).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(results.filter((result) => "before" in result && result.before === null)).toHaveLength(1);
});

test("A product finds its category path though it was committed while it waited.", async () => {
  const { product } = await put(db.database, draft("MOVED"));
  let mover: Promise<unknown> = Promise.resolve();
  const waiting = db.database.transaction(async (tx) => {
    await tx.query(
      sql`INSERT INTO categories (id, name, slug, path) VALUES (60, 'New', 'new', '{60}')`,
    );
    await tx.query(sql`UPDATE products SET category_id = 60 WHERE id = ${product.id}`);
    mover = db.database.transaction((other) => products.adjustStock(other, product.id, 1));
    await blocked(tx);
  });
  await waiting;
  expect(await mover).toMatchObject({
    before: { categoryPath: [60] },
    after: { categoryPath: [60] },
  });
});

/** Resolves when some statement of this database waits for a lock. */
async function blocked(
  tx: Parameters<Parameters<TestDatabase["database"]["transaction"]>[0]>[0],
): Promise<void> {
  for (;;) {
    // Activity is frozen within a transaction unless asked for again.
    await tx.query(sql`SELECT pg_stat_clear_snapshot()`);
    const rows = await tx.query(
      sql`SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
  }
}

test("Two relays never work at once, and one that dies lets the next one work.", async () => {
  const other = await open(db.url);
  const [mine, theirs] = [createOutboxTable(db.database), createOutboxTable(other)];
  const dying = theirs.alone(async () => {
    expect(await mine.alone(() => Promise.reject(new Error("two at once")))).toBeNull();
    await db.database.query(
      sql`SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND pid <> pg_backend_pid()`,
    );
  });
  await expect(dying).rejects.toBeInstanceOf(DatabaseUnavailable);
  expect(await mine.alone(async () => "at work")).toBe("at work");
  await other.close();
});

test("Five simultaneous migrations of an empty database migrate it once.", async () => {
  const { url, drop } = await blankDatabase();
  const databases = await times(5, () => open(url));
  await Promise.all(databases.map((database) => migrate(database, testLog())));
  await Promise.all(databases.map((database) => migrate(database, testLog())));
  const [row] =
    (await databases[0]?.query<{ count: number; hashes: number }>(
      sql`SELECT count(*), count(DISTINCT hash) AS hashes FROM drizzle.__drizzle_migrations`,
    )) ?? [];
  expect(row?.count).toBe(row?.hashes);
  await Promise.all(databases.map((database) => database.close()));
  await drop();
});

const open = (url: string) =>
  openDatabase({
    url,
    dataDir: "unused",
    poolSize: 3,
    timeoutMs: 10_000,
    telemetry: silentTelemetry,
    log: testLog(),
  });
