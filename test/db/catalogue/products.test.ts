/** Products, on PostgreSQL and on PGlite alike. */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createProductTable, type ProductTable } from "../../../src/db/catalogue/products.js";
import type { Database } from "../../../src/db/client/database.js";
import {
  type ListingRequest,
  PRODUCT_SORTS,
  type ProductFilter,
  type ProductRecord,
  type ProductSort,
} from "../../../src/domain/catalogue/catalogue.js";
import { MAX_STOCK } from "../../../src/domain/catalogue/money.js";
import { BadUserInput } from "../../../src/domain/errors.js";
import { DATABASES, draft, emptyDatabase, plantTree, put } from "../sample.js";

describe.each(DATABASES)("products on %s", (kind) => {
  let database: Database;
  let products: ProductTable;
  let close: () => Promise<void>;
  let sku = "";
  let skus = 0;

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
    await plantTree(database);
    products = createProductTable(database);
  });
  afterAll(() => close?.());
  beforeEach(() => {
    sku = `SKU-${++skus}`;
  });
  const adjust = (id: number, by: number) =>
    database.transaction((tx) => products.adjustStock(tx, id, by));
  const remove = (id: number) => database.transaction((tx) => products.remove(tx, id));

  test("An unknown sku makes a product, with the path of its category.", async () => {
    const result = await database.transaction((tx) => products.upsert(tx, draft(sku)));
    expect(result).toMatchObject({
      before: null,
      after: {
        product: { ...draft(sku), version: 1, removed: false, ratingCount: 0 },
        categoryPath: [1, 2, 3],
      },
    });
  });

  test("A known sku changes its product, and the answer has both sides with their paths.", async () => {
    const { product } = await put(database, draft(sku));
    const result = await database.transaction((tx) =>
      products.upsert(tx, draft(sku, { categoryId: 5, price: 1 })),
    );
    expect(result).toEqual({
      before: { product, categoryPath: [1, 2, 3] },
      after: {
        product: { ...product, categoryId: 5, price: 1, version: 2, updatedAt: expect.any(String) },
        categoryPath: [5],
      },
    });
  });

  test("An upsert without a difference writes nothing.", async () => {
    const placed = await put(database, draft(sku));
    expect(await database.transaction((tx) => products.upsert(tx, draft(sku)))).toEqual({
      before: placed,
      after: placed,
    });
  });

  test("An upsert into an absent brand or category names it.", async () => {
    const upsert = (changes: object) =>
      database.transaction((tx) => products.upsert(tx, draft(sku, changes)));
    expect(await upsert({ brandId: 999 })).toEqual({ missing: "brand" });
    expect(await upsert({ categoryId: 999 })).toEqual({ missing: "category" });
    expect((await products.counts([{ text: sku }]))[0]).toBe(0);
  });

  test("A removed product keeps its id, is listed nowhere, and its sku revives it.", async () => {
    const { product } = await put(database, draft(sku));
    expect(await remove(product.id)).toMatchObject({
      before: { product: { removed: false } },
      after: { product: { removed: true, version: 2 } },
    });
    expect(await remove(product.id)).toBe("removed");
    expect(await adjust(product.id, 1)).toBe("removed");
    expect(await products.counts([{ text: sku }])).toEqual([0]);
    expect(await products.byIds([product.id, 123_456])).toMatchObject([
      { id: product.id, removed: true },
    ]);
    const revived = await database.transaction((tx) => products.upsert(tx, draft(sku)));
    expect(revived).toMatchObject({
      before: { product: { removed: true } },
      after: { product: { id: product.id, removed: false, version: 3 } },
    });
  });

  test("Stock moves by the amount, and never below zero or above what is stored.", async () => {
    const { product } = await put(database, draft(sku, { stock: 3 }));
    expect(await adjust(product.id, -3)).toMatchObject({
      before: { product: { stock: 3 } },
      after: { product: { stock: 0, version: 2 } },
    });
    expect(await adjust(product.id, -1)).toBe("negative");
    expect(await adjust(product.id, MAX_STOCK)).toMatchObject({
      after: { product: { stock: MAX_STOCK } },
    });
    expect(await adjust(product.id, 1)).toBe("tooMuch");
    expect(await adjust(999_999, 1)).toBe("missing");
  });

  test("The constraint refuses a negative stock that no guard caught.", async () => {
    const { product } = await put(database, draft(sku));
    await expect(
      database.query(sql`UPDATE products SET stock = -1 WHERE id = ${product.id}`),
    ).rejects.toThrow(/products_stock_range/);
  });

  test("A transaction that fails leaves nothing behind.", async () => {
    const attempt = database.transaction(async (tx) => {
      await products.upsert(tx, draft(sku));
      throw new Error("no");
    });
    await expect(attempt).rejects.toThrow("no");
    expect(await products.counts([{ text: sku }])).toEqual([0]);
  });

  test("Empty requests have empty answers.", async () => {
    expect(
      await Promise.all([products.byIds([]), products.pages([]), products.counts([])]),
    ).toEqual([[], [], []]);
  });
});

/** The value a sort orders by. */
const SORT_VALUES: Readonly<Record<ProductSort, (product: ProductRecord) => number>> = {
  NEWEST: ({ id }) => id,
  PRICE_ASC: ({ price }) => price,
  PRICE_DESC: ({ price }) => price,
  RATING: ({ ratingSum, ratingCount }) =>
    ratingCount ? Math.round((1_000 * ratingSum) / ratingCount) : 0,
  POPULAR: ({ id }) => id % 6,
};

const PATHS: Readonly<Record<number, readonly number[]>> = {
  1: [1],
  2: [1, 2],
  3: [1, 2, 3],
  4: [1, 4],
  5: [5],
};

/** Listings the slow way. */
function expected(
  all: readonly ProductRecord[],
  filter: ProductFilter,
  sort: ProductSort,
): ProductRecord[] {
  const {
    categoryId,
    brandId,
    minPrice = 0,
    maxPrice = Number.POSITIVE_INFINITY,
    inStock,
    text,
  } = filter;
  const value = SORT_VALUES[sort];
  return all
    .filter((product) => !product.removed)
    .filter(
      (product) => categoryId === undefined || PATHS[product.categoryId]?.includes(categoryId),
    )
    .filter((product) => brandId === undefined || product.brandId === brandId)
    .filter(({ price }) => price >= minPrice && price <= maxPrice)
    .filter(({ stock }) => inStock === undefined || stock > 0 === inStock)
    .filter(
      ({ name }) =>
        text === undefined ||
        name
          .toLowerCase()
          .split(" ")
          .some((word) => word.startsWith(text)),
    )
    .sort(
      (a, b) => (sort === "PRICE_ASC" ? value(a) - value(b) : value(b) - value(a)) || b.id - a.id,
    );
}

const FILTERS: readonly ProductFilter[] = [
  {},
  { categoryId: 1 },
  { categoryId: 2, brandId: 2 },
  { brandId: 3 },
  { minPrice: 200, maxPrice: 500 },
  { categoryId: 1, minPrice: 300 },
  { maxPrice: 300, inStock: true },
  { inStock: false },
  { text: "cha" },
  { text: "oak", categoryId: 1, brandId: 1, inStock: true },
  { categoryId: 999 },
  { minPrice: 500, maxPrice: 200 },
];

describe.each(DATABASES)("listings on %s", (kind) => {
  let database: Database;
  let products: ProductTable;
  let close: () => Promise<void>;
  let all: ProductRecord[];

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
    await plantTree(database);
    products = createProductTable(database);
    // Few values, so that every sort has many ties.
    await database.query(sql`INSERT INTO products
        (sku, name, description, brand_id, category_id, price, stock,
        rating_sum, rating_count, popularity, removed_at)
      SELECT 'P-' || n, (ARRAY['Oak Chair', 'Ash Table', 'Oak Lamp', 'Charcoal'])[1 + n % 4], '',
        1 + n % 3, 1 + n % 5, 100 * (n % 7), n % 3,
        (n % 4) * (1 + n % 5), n % 4, n % 6, CASE WHEN n % 11 = 0 THEN now() END
      FROM generate_series(1, 200) n`);
    all = await products.byIds(Array.from({ length: 200 }, (_, index) => index + 1));
  });
  afterAll(() => close?.());

  /** Every page of a list, one after the other. */
  async function walk(filter: ProductFilter, sort: ProductSort, limit: number): Promise<number[]> {
    const ids: number[] = [];
    for (let after: ListingRequest["page"]["after"] = null, more = true; more; ) {
      const [page] = await products.pages([{ filter, sort, page: { limit, after } }]);
      ids.push(...(page?.rows ?? []).map(({ id }) => id));
      after = page?.rows.at(-1) ?? null;
      more = page?.hasNextPage ?? false;
    }
    return ids;
  }

  test.each(PRODUCT_SORTS)(
    "Pages of %s hold every product of the filter once, in order.",
    async (sort) => {
      for (const filter of FILTERS) {
        expect(await walk(filter, sort, 7), JSON.stringify(filter)).toEqual(
          expected(all, filter, sort).map(({ id }) => id),
        );
      }
    },
  );

  test.each(PRODUCT_SORTS)("Positions of %s are what the list is sorted by.", async (sort) => {
    const [page] = await products.pages([{ filter: {}, sort, page: { limit: 30, after: null } }]);
    expect(page?.rows).toEqual(
      expected(all, {}, sort)
        .slice(0, 30)
        .map((product) => ({ value: SORT_VALUES[sort](product), id: product.id })),
    );
  });

  test("Listings that share a statement answer as each does alone, in order.", async () => {
    const after = { value: 300, id: 120 };
    const listings = FILTERS.flatMap((filter) =>
      PRODUCT_SORTS.flatMap((sort) =>
        [3, 9].map(
          (limit): ListingRequest => ({
            filter,
            sort,
            page: { limit, after: limit === 9 && sort.startsWith("PRICE") ? after : null },
          }),
        ),
      ),
    );
    const alone = await Promise.all(
      listings.map(async (listing) => (await products.pages([listing]))[0]),
    );
    expect(await products.pages(listings)).toEqual(alone);
  });

  test("Counts agree with the lists, in the order asked.", async () => {
    expect(await products.counts(FILTERS)).toEqual(
      FILTERS.map((filter) => expected(all, filter, "NEWEST").length),
    );
  });

  test("A position out of range, as if forged, neither fails nor widens the list.", async () => {
    const filter = { minPrice: 200, maxPrice: 400 };
    const page = { limit: 100, after: { value: 600, id: 5 } };
    const [down, up] = await products.pages([
      { filter, sort: "PRICE_DESC", page },
      { filter, sort: "PRICE_ASC", page },
    ]);
    expect(down?.rows.map(({ id }) => id)).toEqual(
      expected(all, filter, "PRICE_DESC").map(({ id }) => id),
    );
    expect(up?.rows).toEqual([]);
    await expect(
      products.pages([
        { filter, sort: "RATING", page: { limit: 1, after: { value: "4", id: 1 } } },
      ]),
    ).rejects.toThrow(BadUserInput);
  });

  test("Rows inserted while a client pages neither repeat nor hide others.", async () => {
    const [first] = await products.pages([
      { filter: { brandId: 4 }, sort: "NEWEST", page: { limit: 2, after: null } },
    ]);
    expect(first?.rows).toEqual([]);
    for (const sku of ["N-1", "N-2", "N-3", "N-4"])
      await put(database, draft(sku, { brandId: 4, price: 50 }));
    const [two] = await products.pages([
      { filter: { brandId: 4 }, sort: "PRICE_ASC", page: { limit: 2, after: null } },
    ]);
    await put(database, draft("N-5", { brandId: 4, price: 50 }));
    await put(database, draft("N-6", { brandId: 4, price: 10 }));
    const [rest] = await products.pages([
      {
        filter: { brandId: 4 },
        sort: "PRICE_ASC",
        page: { limit: 9, after: two?.rows.at(-1) ?? null },
      },
    ]);
    const skus = new Map(
      (await products.byIds([...(two?.rows ?? []), ...(rest?.rows ?? [])].map(({ id }) => id))).map(
        ({ id, sku }) => [id, sku],
      ),
    );
    expect([...(two?.rows ?? []), ...(rest?.rows ?? [])].map(({ id }) => skus.get(id))).toEqual([
      "N-4",
      "N-3",
      "N-2",
      "N-1",
    ]);
  });
});
