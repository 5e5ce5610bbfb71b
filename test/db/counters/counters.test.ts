/** The tables of counting, on both databases. */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createActivityTable } from "../../../src/db/activity.js";
import type { Database } from "../../../src/db/client/database.js";
import { createCounterTable } from "../../../src/db/counters/counters.js";
import { createLikeTable } from "../../../src/db/counters/likes.js";
import { computePopularity, takeDue } from "../../../src/db/counters/popularity.js";
import type { CounterBatch, Sketch } from "../../../src/domain/counters.js";
import { until } from "../../support/until.js";
import { DATABASES, draft, emptyDatabase, plantTree, put } from "../sample.js";

const all = (productId: number) => ({ productId, period: "all" as const });
const batch = (id: string, prev: string, views: number, productId: number): CounterBatch => ({
  shard: 1,
  id,
  prev,
  counts: [{ productId, period: "all", views, shares: 1, viewersChanged: true }],
});

describe.each(DATABASES)("counters on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;
  let [one, two] = [0, 0];
  const dueNow = () =>
    database.transaction(async (tx) => {
      const due = await takeDue(tx, 10);
      return { due: due.length, changed: await computePopularity(tx, due) };
    });

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
    await plantTree(database);
    [one, two] = [
      (await put(database, draft("one"))).product.id,
      (await put(database, draft("two"))).product.id,
    ];
    await database.query(sql`INSERT INTO users (id, tag, email, name, role, password_hash)
      SELECT n, 'tag-' || n, n || '@test.example', 'Tess', 'CUSTOMER', 'x'
      FROM generate_series(1, 3) AS n`);
  });
  afterAll(() => close?.());

  test("A batch is applied once, with its viewers, and only after its predecessor.", async () => {
    const table = createCounterTable(database);
    const few = [{ viewer: "ada", day: 20_000 }];
    const sketch: Sketch = {
      productId: one,
      period: "all",
      bytes: Buffer.from([0, 72, 255]),
      isOver: false,
      viewers: 1,
      few,
    };
    expect(await table.apply(batch("a", "", 3, one), [sketch])).toBe("applied");
    expect(await table.apply(batch("a", "", 3, one), [sketch])).toBe("repeated");
    expect(await table.apply(batch("c", "b", 3, one), [])).toBe("stray");
    expect(await table.apply(batch("b", "a", 4, one), [])).toBe("applied");
    const [stored, none] = await table.stored([all(one), all(two)], () => 1);
    expect(stored).toEqual({
      applied: "b",
      views: 7,
      shares: 2,
      viewers: 1,
      isOver: false,
      sketch: Buffer.from([0, 72, 255]),
      few,
    });
    expect(none).toEqual({
      applied: "b",
      views: 0,
      shares: 0,
      viewers: 0,
      isOver: false,
      sketch: null,
      few: [],
    });
    expect([await table.applied(1), await table.applied(2)]).toEqual(["b", ""]);
    expect(await table.counted(0, 10)).toEqual([one]);
    expect(await table.prune()).toBe(0);
  });

  test("Likes count in their transaction and by day, and are recounted when wrong.", async () => {
    const likes = createLikeTable(database);
    const change = (how: "add" | "remove", userId: number) =>
      database.transaction((tx) => likes[how](tx, { productId: one, userId }));
    expect(await change("add", 1)).toMatchObject({ likes: 1 });
    expect(await change("add", 1)).toEqual({ likes: null, version: 0 });
    expect(await change("add", 2)).toMatchObject({ likes: 2 });
    expect(await change("remove", 1)).toMatchObject({ likes: 1 });
    expect(await change("remove", 1)).toMatchObject({ likes: null });
    expect(await database.transaction((tx) => likes.add(tx, { productId: 999, userId: 1 }))).toBe(
      "missing",
    );
    expect(await likes.counts([two, one])).toEqual([0, 1]);
    expect(await likes.given([1, 2].map((userId) => ({ productId: one, userId })))).toEqual([
      false,
      true,
    ]);
    const today = new Date().toISOString().slice(0, 10);
    const [byDay, byMonth] = await likes.since([
      { productId: one, sinceMs: 0, by: "day" },
      { productId: one, sinceMs: 0, by: "month" },
    ]);
    expect([[...(byDay ?? [])], [...(byMonth ?? [])]]).toEqual([
      [[today, 1]],
      [[today.slice(0, 7), 1]],
    ]);
    await database.query(sql`UPDATE product_likes SET likes = 5`);
    const repaired: number[] = [];
    const repair = async (_tx: unknown, ids: readonly number[]) => repaired.push(...ids);
    expect(await likes.recount(repair)).toEqual([{ productId: one, excess: 4 }]);
    expect([repaired, await likes.recount(), await likes.counts([one])]).toEqual([[one], [], [1]]);
  });

  test("Popularity is computed where due, to three digits, and written if different.", async () => {
    const popularity = async () => {
      const rows = await database.query<{ popularity: number }>(
        sql`SELECT popularity FROM products ORDER BY id`,
      );
      return rows.map((row) => row.popularity);
    };
    expect(await dueNow()).toEqual({ due: 1, changed: 1 });
    expect(await popularity()).toEqual([7 + 2 * 20 + 10, 0]);
    expect(await dueNow()).toEqual({ due: 0, changed: 0 });
    await createCounterTable(database).apply(batch("d", "b", 123_456, two), []);
    expect(await dueNow()).toEqual({ due: 1, changed: 1 });
    expect(await popularity()).toEqual([57, 123_000]);
    await createCounterTable(database).apply(batch("e", "d", 1, two), []);
    expect(await dueNow()).toEqual({ due: 1, changed: 0 });
  });

  test("Activity is one row per user and day.", async () => {
    const table = createActivityTable(database);
    for (const user of [1, 2, 2]) await table.note("2026-11-03", user);
    await table.note("2026-11-04", 3);
    expect(
      (await table.users(["2026-11-04", "2026-11-03", "2026-11-05"])).map((users) => users.sort()),
    ).toEqual([[3], [1, 2], []]);
    await table.note("2020-01-01", 1);
    expect(await table.prune()).toBeGreaterThanOrEqual(1);
    expect(await table.users(["2020-01-01"])).toEqual([[]]);
  });
});

test("A product is not taken before its count is committed, though it was due.", async () => {
  const { database, close } = await emptyDatabase("postgres");
  onTestFinished(close);
  await plantTree(database);
  const { id } = (await put(database, draft("one"))).product;
  const takeAll = () => database.transaction((tx) => takeDue(tx, 10));
  await database.query(sql`INSERT INTO popularity_due (product_id) VALUES (${id})`);
  await database.query(sql`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$`);
  await database.query(
    sql`CREATE TRIGGER wait BEFORE UPDATE ON counter_shards FOR EACH ROW EXECUTE FUNCTION wait()`,
  );
  const isWaiting = async () =>
    (
      await database.query(
        sql`SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted`,
      )
    ).length > 0;
  const applied = await database.transaction(async (tx) => {
    await tx.query(sql`SELECT pg_advisory_xact_lock(42)`);
    const applying = createCounterTable(database).apply(batch("a", "", 5, id), []);
    await until("the batch to wait before its commit", isWaiting);
    expect(await takeAll()).toEqual([]);
    return [applying];
  });
  expect([await applied[0], await takeAll()]).toEqual(["applied", [id]]);
});
