/** Categories, brands, reviews, operations and the outbox, on PostgreSQL and on PGlite alike. */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBrandTable } from "../../src/db/catalogue/brands.js";
import { createCategoryTable } from "../../src/db/catalogue/categories.js";
import { createReviewTable } from "../../src/db/catalogue/reviews.js";
import type { Database } from "../../src/db/client/database.js";
import { createOperationTable } from "../../src/db/operations.js";
import { createOutboxTable, OUTBOX_CHANNEL } from "../../src/db/outbox.js";
import { createOutboxOperating } from "../../src/db/outbox-operating.js";
import { changeEntry, type OutboxEntry } from "../../src/domain/events/outbox.js";
import { scoreEntries } from "../../src/services/leaderboard/outbox-kind.js";
import { notificationEntry } from "../../src/services/notification/outbox-kind.js";
import { DATABASES, draft, emptyDatabase, plantTree, put } from "./sample.js";

const entry = (name: string): OutboxEntry =>
  changeEntry({
    tags: [name, 'odd "tag", {}\\'],
    events: [{ topic: { kind: "productChanged", id: 1 }, version: 2 }],
  });
/** What one write owes: an entry of each kind that has keys. */
const message = (name: string): OutboxEntry[] => [
  entry(name),
  ...scoreEntries([{ slug: "board", owner: "somebody", score: 0.1, operationId: "once" }]),
  notificationEntry({ type: "read", userId: 1, sequence: 2, ids: [3], upTo: null, unread: 0 }),
];

describe.each(DATABASES)("tables of the catalogue on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
    await plantTree(database);
  });
  afterAll(() => close?.());

  test("Categories come in the order of the tree: parents first, siblings by name.", async () => {
    expect(await createCategoryTable(database).allIds()).toEqual([5, 1, 4, 2, 3]);
  });

  test("Categories have their path and their children.", async () => {
    const categories = createCategoryTable(database);
    expect(await categories.byIds([3, 999])).toEqual([
      { id: 3, name: "Chairs", slug: "chairs", parentId: 2, path: [1, 2, 3] },
    ]);
    expect(await categories.childIds([1, 3])).toEqual(
      new Map([
        [1, [4, 2]],
        [3, []],
      ]),
    );
  });

  test("Two categories of one parent, roots included, cannot share a name.", async () => {
    const add = (parent: number | null) =>
      database.query(
        sql`INSERT INTO categories (id, parent_id, name, slug, path)
          VALUES (50, ${parent}, 'Home', 'other', '{50}')`,
      );
    await expect(add(null)).rejects.toThrow(/categories_parent_name/);
  });

  test("Brands are paged by name and found by its beginning; wildcards are letters.", async () => {
    const brands = createBrandTable(database);
    const walk = async (text?: string) => {
      const names: (string | number)[] = [];
      for (let after = null as { value: string | number; id: number } | null, more = true; more; ) {
        const { rows, hasNextPage } = await brands.page({
          ...(text === undefined ? {} : { text }),
          page: { limit: 1, after },
        });
        names.push(...rows.map(({ value }) => value));
        after = rows.at(-1) ?? null;
        more = hasNextPage;
      }
      return names;
    };
    expect((await walk()).sort()).toEqual(["100% Wool", "Alder", "Brio_Two", "brio"]);
    expect((await walk("BRIO")).sort()).toEqual(["Brio_Two", "brio"]);
    expect(await walk("brio_")).toEqual(["Brio_Two"]);
    expect(await walk("1%")).toEqual([]);
    expect([await brands.count(), await brands.count("bri"), await brands.count("100%")]).toEqual([
      4, 2, 1,
    ]);
    expect(await brands.byIds([2, 77])).toEqual([{ id: 2, name: "brio" }]);
  });

  test("Reviews are paged newest first, many products in one statement.", async () => {
    const one = (await put(database, draft("R-1"))).product.id;
    const two = (await put(database, draft("R-2"))).product.id;
    await database.query(
      sql`INSERT INTO reviews (id, product_id, author, rating, body)
        SELECT n, CASE WHEN n % 3 = 0 THEN ${two}::bigint ELSE ${one}::bigint END, 'A. B.',
          1 + n % 5, 'Fine.'
        FROM generate_series(1, 12) n`,
    );
    const reviews = createReviewTable(database);
    const pages = await reviews.pages([
      { productId: two, page: { limit: 3, after: null } },
      { productId: one, page: { limit: 2, after: { value: 8, id: 8 } } },
      { productId: 999, page: { limit: 2, after: null } },
    ]);
    expect(pages.map(({ rows, hasNextPage }) => [rows.map(({ id }) => id), hasNextPage])).toEqual([
      [[12, 9, 6], true],
      [[7, 5], true],
      [[], false],
    ]);
    expect(await reviews.counts([two, 999, one])).toEqual([4, 0, 8]);
    expect(await reviews.byIds([4])).toMatchObject([
      { id: 4, productId: one, rating: 5, createdAt: expect.stringMatching(/Z$/) },
    ]);
  });
});

describe.each(DATABASES)("operations and the outbox on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
  });
  afterAll(() => close?.());

  test("An operation id is new once, and a second use with other input is recognised.", async () => {
    const operations = createOperationTable(database);
    const remember = (id: string, scope: string, input: string) =>
      database.transaction((tx) => operations.remember(tx, id, scope, input));
    expect(await remember("op", "adjustStock", "a")).toEqual({ first: true });
    expect(await remember("op", "adjustStock", "a")).toEqual({
      first: false,
      sameInput: true,
      result: null,
    });
    expect(await remember("op", "adjustStock", "b")).toEqual({
      first: false,
      sameInput: false,
      result: null,
    });
    await database.transaction((tx) => operations.made(tx, "op", "adjustStock", { id: 7 }));
    expect(await remember("op", "adjustStock", "a")).toEqual({
      first: false,
      sameInput: true,
      result: { id: 7 },
    });
    expect(await remember("op", "other", "b")).toEqual({ first: true });
  });

  test("An operation of a failed transaction is new again.", async () => {
    const operations = createOperationTable(database);
    const failed = database.transaction(async (tx) => {
      await operations.remember(tx, "undone", "s", "f");
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await database.transaction((tx) => operations.remember(tx, "undone", "s", "f"))).toEqual(
      { first: true },
    );
  });

  test("Operations are kept for a day and then forgotten.", async () => {
    const operations = createOperationTable(database);
    await database.query(sql`INSERT INTO operations (scope, operation_id, fingerprint, created_at)
      VALUES ('age', 'young', '', now() - interval '23 hours 59 minutes'),
        ('age', 'old', '', now() - interval '24 hours 1 minute')`);
    expect(await operations.prune()).toBe(1);
    expect(
      await database.query(sql`SELECT operation_id FROM operations WHERE scope = 'age'`),
    ).toEqual([{ operation_id: "young" }]);
  });

  test("Committed rows are notified, read in order, unchanged, and gone when sent.", async () => {
    const outbox = createOutboxTable(database);
    let wake = () => {};
    const notified = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const listening = await database.listen(OUTBOX_CHANNEL, () => wake());
    const rows = await database.transaction(async (tx) => [
      ...(await outbox.append(tx, message("one"))),
      ...(await outbox.append(tx, message("two"))),
    ]);
    const ids = rows.map(({ id }) => id);
    expect(rows).toEqual(
      [...message("one"), ...message("two")].map((one, at) => ({ ...one, id: ids[at] })),
    );
    await notified;
    const waiting = await outbox.waiting(0, 10);
    expect(waiting).toEqual(rows.map(({ id, keys }) => ({ id, keys, due: true })));
    const stored = await outbox.read(ids);
    expect(stored.map((row) => ({ ...row, payload: JSON.parse(row.payload ?? "") }))).toEqual(rows);
    expect((await outbox.ofKind("score", 0)).map(({ id }) => id)).toEqual([ids[1], ids[4]]);
    await outbox.done(ids);
    expect([await outbox.hasUnsent(), await outbox.waiting(0, 10)]).toEqual([false, []]);
    await listening.close();
  });

  test("Rows of a failed transaction are never sent; rows that were not sent stay.", async () => {
    const outbox = createOutboxTable(database);
    const failed = database.transaction(async (tx) => {
      await outbox.append(tx, message("lost"));
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await outbox.hasUnsent()).toBe(false);
    const kept = await database.transaction((tx) => outbox.append(tx, message("kept")));
    expect(await outbox.hasUnsent()).toBe(true);
    expect(await outbox.hasUnsent(60_000)).toBe(false);
    await outbox.done(kept.map(({ id }) => id));
    expect(await outbox.hasUnsent()).toBe(false);
  });

  test("A failed row waits ever longer, is set aside, and comes back on request.", async () => {
    const [outbox, operating] = [createOutboxTable(database), createOutboxOperating(database)];
    const poison = { ...entry("poison"), keys: ["user:1", 'odd "key"\0'] };
    const [row] = await database.transaction((tx) => outbox.append(tx, [poison]));
    const id = row?.id ?? 0;
    const fail = (counts: boolean) =>
      outbox.failed([{ id, error: "no \0 luck", counts }], { retryMs: 60_000, attemptsMax: 2 });
    expect(await fail(false)).toMatchObject([{ attempts: 0, setAside: false }]);
    expect(await fail(true)).toMatchObject([{ attempts: 1, setAside: false }]);
    expect(await outbox.waiting(0, 10)).toMatchObject([
      { id, keys: ["user:1", expect.stringContaining("odd")], due: false },
    ]);
    expect(await fail(true)).toMatchObject([{ attempts: 2, setAside: true }]);
    expect([
      await outbox.waiting(0, 10),
      await outbox.read([id]),
      await outbox.hasUnsent(),
    ]).toEqual([[], [], false]);
    expect(await operating.state()).toEqual({ waiting: 0, setAside: 1, oldestMs: 0 });
    expect(await operating.troubled(10)).toMatchObject([
      { id, setAside: true, attempts: 2, kind: "change", holds: { tags: 2, events: 1 } },
    ]);
    expect(await operating.retry("all")).toHaveLength(1);
    expect(await outbox.waiting(0, 10)).toMatchObject([{ id, due: true }]);
    expect(await operating.drop(id)).toBe(false);
    await outbox.done([id]);
  });

  test("A row is read within a bound of bytes, whatever it holds.", async () => {
    const outbox = createOutboxTable(database);
    await database.query(sql`INSERT INTO outbox (kind, payload)
      VALUES ('notification', to_jsonb(repeat('a', 4000000)))`);
    await database.query(
      sql`INSERT INTO outbox (kind, payload)
        SELECT 'change', to_jsonb(repeat('b', 1000000)) FROM generate_series(1, 20)`,
    );
    const ids = (await outbox.waiting(0, 100)).map(({ id }) => id);
    const [first, ...rest] = await outbox.read(ids);
    expect(first).toMatchObject({ kind: "notification", payload: null });
    expect(rest.length).toBeLessThan(10);
    await outbox.done(ids);
  });

  test("A write with more than the relay reads is refused as a whole.", async () => {
    const outbox = createOutboxTable(database);
    const long = changeEntry({ tags: Array.from({ length: 100_000 }, (_, at) => `tag:${at}`) });
    const written = database.transaction((tx) => outbox.append(tx, [entry("short"), long]));
    await expect(written).rejects.toThrow("longer than the outbox takes");
    expect(await outbox.hasUnsent()).toBe(false);
  });

  test("One relay works at a time, and another finds nothing to do.", async () => {
    const outbox = createOutboxTable(database);
    let second: unknown = "not asked";
    await outbox.alone(async () => {
      second = await outbox.alone(() => Promise.reject(new Error("two at once")));
    });
    expect(second).toBeNull();
  });
});
