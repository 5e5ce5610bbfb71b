/** The seeded shop: the same everywhere, of the promised size, and consistent. */
import { createHash } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../../src/db/client/database.js";
import { categoryRows, MAX_CATEGORIES } from "../../../src/db/seed/rows.js";
import { DEFAULT_SEED, isEmpty, seedCatalogue, seedSizes } from "../../../src/db/seed/seed.js";
import { CATALOGUE_TAG } from "../../../src/domain/catalogue/tags.js";
import { DATABASES, draft, emptyDatabase, put } from "../sample.js";

const SMALL = { ...seedSizes(500), seed: 7 };

/** Everything there is, in one number. */
async function fingerprint(database: Database): Promise<string> {
  const rows = await Promise.all(
    ["categories", "brands", "products", "reviews"].map((table) =>
      database.query<{ all: string }>(
        sql`SELECT string_agg(t::text, '' ORDER BY id) AS "all" FROM ${sql.identifier(table)} t`,
      ),
    ),
  );
  return createHash("sha256").update(JSON.stringify(rows)).digest("hex");
}

test("The default shop has 50 categories, 300 brands, 10,000 products and 50,000 reviews.", () => {
  expect(DEFAULT_SEED).toMatchObject({
    categories: 50,
    brands: 300,
    products: 10_000,
    reviews: 50_000,
  });
  expect(MAX_CATEGORIES).toBe(50);
  expect(new Set(categoryRows(50).map(({ name }) => name)).size).toBe(50);
  expect(Math.max(...categoryRows(50).map(({ path }) => path.length))).toBe(3);
});

const prints: string[] = [];

describe.each(DATABASES)("the seed on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
  });
  afterAll(() => close?.());

  test("An interrupted seed leaves nothing behind.", async () => {
    const onProgress = () => {
      throw new Error("stopped");
    };
    await expect(seedCatalogue(database, { ...SMALL, onProgress })).rejects.toThrow("stopped");
    expect(await isEmpty(database)).toBe(true);
  });

  test("Two that seed at once seed once, and the empty shop's cache is invalidated.", async () => {
    expect(
      (await Promise.all([seedCatalogue(database, SMALL), seedCatalogue(database, SMALL)])).sort(),
    ).toEqual([false, true]);
    const [counts] = await database.query(
      sql`SELECT (SELECT count(*) FROM products) AS products,
        (SELECT count(*) FROM reviews) AS reviews, (SELECT count(*) FROM brands) AS brands`,
    );
    expect(counts).toEqual({
      products: SMALL.products,
      reviews: SMALL.reviews,
      brands: SMALL.brands,
    });
    expect(await database.query(sql`SELECT kind, payload->'tags' AS tags FROM outbox`)).toEqual([
      { kind: "change", tags: [CATALOGUE_TAG] },
    ]);
  });

  test("A seed leaves no words outside the text index, where every search would read them.", async () => {
    expect(
      await database.query(sql`SELECT gin_clean_pending_list('products_search') AS pages`),
    ).toEqual([{ pages: 0 }]);
  });

  test("The ratings of products equal their reviews.", async () => {
    const wrong = await database.query(sql`SELECT p.id FROM products p
      LEFT JOIN reviews r ON r.product_id = p.id GROUP BY p.id
      HAVING p.rating_count <> count(r.id) OR p.rating_sum <> coalesce(sum(r.rating), 0)`);
    expect(wrong).toEqual([]);
  });

  test("Popularity is what counters say, and nobody reviewed what nobody has seen.", async () => {
    const wrong = await database.query(sql`SELECT p.id FROM products p
      LEFT JOIN product_tallies t ON t.product_id = p.id AND t.period = 'all'
      WHERE p.popularity <> coalesce(t.views + 20 * t.shares, 0)
        OR coalesce(t.viewers, 0) < p.rating_count
        OR coalesce(jsonb_array_length(t.few), 0) <> coalesce(t.viewers, 0)`);
    expect(wrong).toEqual([]);
  });

  test("Every row that another names is there, although PGlite did not check it.", async () => {
    const lost = await database.query(sql`
      SELECT p.id FROM products p
        LEFT JOIN brands b ON b.id = brand_id LEFT JOIN categories c ON c.id = category_id
        WHERE b.id IS NULL OR c.id IS NULL
      UNION ALL SELECT c.id FROM categories c LEFT JOIN categories p ON p.id = c.parent_id
        WHERE c.parent_id IS NOT NULL AND p.id IS NULL
      UNION ALL SELECT product_id FROM product_tallies LEFT JOIN products p ON p.id = product_id
        WHERE p.id IS NULL
      UNION ALL SELECT product_id FROM reviews LEFT JOIN products p ON p.id = product_id
        WHERE p.id IS NULL`);
    expect(lost).toEqual([]);
    const orphan = sql`INSERT INTO reviews (product_id, author, rating, body)
      VALUES (99999, 'a', 5, 'b')`;
    await expect(database.query(orphan)).rejects.toMatchObject({ code: "23503" });
  });

  test("Names differ, some things are sold out, and only leaves list products.", async () => {
    const [row] = await database.query(sql`SELECT count(DISTINCT name) AS names,
        count(*) FILTER (WHERE stock = 0) BETWEEN 20 AND 80 AS "someSoldOut",
        bool_and(NOT EXISTS (SELECT FROM categories c WHERE c.parent_id = category_id)) AS leaves,
        min(price) > 0 AS priced
      FROM products`);
    expect(row).toEqual({ names: SMALL.products, someSoldOut: true, leaves: true, priced: true });
  });

  test("A review is never older than its product.", async () => {
    expect(
      await database.query(
        sql`SELECT r.id FROM reviews r JOIN products p ON p.id = product_id
          WHERE r.created_at < p.created_at - interval '3 days'`,
      ),
    ).toEqual([]);
  });

  test("The next product is numbered after the seeded ones.", async () => {
    prints.push(await fingerprint(database));
    const { product } = await put(database, draft("AFTER", { categoryId: 3 }));
    expect(product.id).toBeGreaterThan(SMALL.products);
  });
});

test("The rows are the same on both databases, byte by byte.", () => {
  expect(new Set(prints).size).toBe(1);
  expect(prints).toHaveLength(2);
});
