/** Categories, brands, reviews, operations and the outbox, on PostgreSQL and on PGlite alike. */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBrandTable } from "../../src/db/brands.js";
import { createCategoryTable } from "../../src/db/categories.js";
import type { Database } from "../../src/db/database.js";
import { createOperationTable } from "../../src/db/operations.js";
import { createOutboxTable, OUTBOX_CHANNEL } from "../../src/db/outbox.js";
import { createReviewTable } from "../../src/db/reviews.js";
import type { OutboxMessage, OutboxRow } from "../../src/domain/events.js";
import { DATABASES, draft, emptyDatabase, plantTree, put } from "./sample.js";

const message = (name: string): OutboxMessage => ({
  tags: [name, 'odd "tag", {}\\'],
  events: [{ topic: { kind: "productChanged", id: 1 }, version: 2 }],
  revocations: [{ kind: "everyone", beforeMs: 5 }],
  scores: [{ slug: "board", owner: "somebody", score: 0.1, operationId: "once" }],
  notifications: [{ type: "read", userId: 1, sequence: 2, ids: [3], upTo: null, unread: 0 }],
});

describe.each(DATABASES)("tables on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
    await plantTree(database);
  });
  afterAll(() => close?.());

  test("categories come in the order of the tree: parents first, siblings by name", async () => {
    expect(await createCategoryTable(database).allIds()).toEqual([5, 1, 4, 2, 3]);
  });

  test("categories know their path and their children", async () => {
    const categories = createCategoryTable(database);
    expect(await categories.byIds([3, 999])).toEqual([{ id: 3, name: "Chairs", slug: "chairs", parentId: 2, path: [1, 2, 3] }]);
    expect(await categories.childIds([1, 3])).toEqual(
      new Map([
        [1, [4, 2]],
        [3, []],
      ]),
    );
  });

  test("two categories of one parent, roots included, cannot share a name", async () => {
    const add = (parent: number | null) =>
      database.query(sql`INSERT INTO categories (id, parent_id, name, slug, path) VALUES (50, ${parent}, 'Home', 'other', '{50}')`);
    await expect(add(null)).rejects.toThrow(/categories_parent_name/);
  });

  test("brands are paged by name and found by the beginning of it, wildcards being letters", async () => {
    const brands = createBrandTable(database);
    const walk = async (text?: string) => {
      const names: (string | number)[] = [];
      for (let after = null as { value: string | number; id: number } | null, more = true; more; ) {
        const { rows, hasNextPage } = await brands.page({ ...(text === undefined ? {} : { text }), page: { limit: 1, after } });
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
    expect([await brands.count(), await brands.count("bri"), await brands.count("100%")]).toEqual([4, 2, 1]);
    expect(await brands.byIds([2, 77])).toEqual([{ id: 2, name: "brio" }]);
  });

  test("reviews are paged newest first, many products in one statement", async () => {
    const one = (await put(database, draft("R-1"))).product.id;
    const two = (await put(database, draft("R-2"))).product.id;
    await database.query(
      sql`INSERT INTO reviews (id, product_id, author, rating, body) SELECT n, CASE WHEN n % 3 = 0 THEN ${two}::bigint ELSE ${one}::bigint END, 'A. B.', 1 + n % 5, 'Fine.' FROM generate_series(1, 12) n`,
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
    expect(await reviews.byIds([4])).toMatchObject([{ id: 4, productId: one, rating: 5, createdAt: expect.stringMatching(/Z$/) }]);
  });

  test("an operation id is new once, and a second use with other input is told apart", async () => {
    const operations = createOperationTable(database);
    const remember = (id: string, scope: string, input: string) => database.transaction((tx) => operations.remember(tx, id, scope, input));
    expect(await remember("op", "adjustStock", "a")).toEqual({ first: true });
    expect(await remember("op", "adjustStock", "a")).toEqual({ first: false, sameInput: true });
    expect(await remember("op", "adjustStock", "b")).toEqual({ first: false, sameInput: false });
    expect(await remember("op", "other", "b")).toEqual({ first: true });
  });

  test("an operation of a transaction that failed is new again", async () => {
    const operations = createOperationTable(database);
    const failed = database.transaction(async (tx) => {
      await operations.remember(tx, "undone", "s", "f");
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await database.transaction((tx) => operations.remember(tx, "undone", "s", "f"))).toEqual({ first: true });
  });

  test("operations are kept for a day and then forgotten", async () => {
    const operations = createOperationTable(database);
    await database.query(sql`INSERT INTO operations (scope, operation_id, fingerprint, created_at)
      VALUES ('age', 'young', '', now() - interval '23 hours 59 minutes'), ('age', 'old', '', now() - interval '24 hours 1 minute')`);
    expect(await operations.prune()).toBe(1);
    expect(await database.query(sql`SELECT operation_id FROM operations WHERE scope = 'age'`)).toEqual([{ operation_id: "young" }]);
  });

  test("committed rows are notified, drained in order, unchanged, and gone when sent", async () => {
    const outbox = createOutboxTable(database);
    let wake = () => {};
    const notified = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const listening = await database.listen(OUTBOX_CHANNEL, () => wake());
    const ids = await database.transaction(async (tx) => [
      await outbox.append(tx, message("one")),
      await outbox.append(tx, message("two")),
    ]);
    await notified;
    const sent: OutboxRow[] = [];
    expect(await outbox.drain(1, async (rows) => void sent.push(...rows))).toBe(1);
    expect(await outbox.drain(10, async (rows) => void sent.push(...rows))).toBe(1);
    expect(sent).toEqual([
      { id: ids[0], ...message("one") },
      { id: ids[1], ...message("two") },
    ]);
    expect(await outbox.hasUnsent()).toBe(false);
    expect(await outbox.drain(10, () => Promise.reject(new Error("never called")))).toBe(0);
    await listening.close();
  });

  test("rows of a transaction that failed are never sent, rows that could not be sent stay", async () => {
    const outbox = createOutboxTable(database);
    const failed = database.transaction(async (tx) => {
      await outbox.append(tx, message("lost"));
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(await outbox.hasUnsent()).toBe(false);
    const id = await database.transaction((tx) => outbox.append(tx, message("kept")));
    await expect(outbox.drain(10, () => Promise.reject(new Error("Redis is down")))).rejects.toThrow("Redis is down");
    expect(await outbox.hasUnsent()).toBe(true);
    expect(await outbox.hasUnsent(60_000)).toBe(false);
    await outbox.done([id]);
    expect(await outbox.hasUnsent()).toBe(false);
  });

  test("one relay at a time: while one sends, another finds nothing to do", async () => {
    const outbox = createOutboxTable(database);
    await database.transaction((tx) => outbox.append(tx, message("once")));
    let second = -1;
    await outbox.drain(10, async () => {
      second = await outbox.drain(10, () => Promise.reject(new Error("sent twice")));
    });
    expect(second).toBe(0);
    expect(await outbox.hasUnsent()).toBe(false);
  });
});
