/**
 * docs/listings.md promises how many rows a page reads; EXPLAIN (ANALYZE) on the default shop is
 * the judge.
 */
import { readFile } from "node:fs/promises";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pagesStatement } from "../../../src/db/catalogue/listings.js";
import { createProductTable, type ProductTable } from "../../../src/db/catalogue/products.js";
import { DEFAULT_SEED, seedCatalogue } from "../../../src/db/seed/seed.js";
import {
  type ListingRequest,
  PRODUCT_SORTS,
  type ProductFilter,
  type ProductSort,
} from "../../../src/domain/catalogue/catalogue.js";
import type { Position } from "../../../src/domain/page.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { planOf, rowsReadBy } from "../plan.js";

interface PromisedBound {
  readonly columns: readonly (keyof ProductFilter)[];
  readonly sorts: readonly ProductSort[];
  readonly bound: string;
}

const PAGE = 20;
const rowsOfTable = async (): Promise<PromisedBound[]> => {
  const document = await readFile(new URL("../../../docs/listings.md", import.meta.url), "utf8");
  const [products = ""] = document.split("\n## ");
  const lines = products
    .split("\n")
    .filter((line) => /^\| /.test(line) && !/^\| Filter/.test(line));
  return lines.map((line) => {
    const [columns = "", sorts = "", bound = ""] = line
      .split("|")
      .slice(1)
      .map((cell) => cell.trim());
    return {
      columns: columns === "(none)" ? [] : (columns.split(", ") as (keyof ProductFilter)[]),
      sorts: sorts === "every" ? PRODUCT_SORTS : (sorts.split(", ") as ProductSort[]),
      bound,
    };
  });
};
const promises = await rowsOfTable();

let db: TestDatabase;
let products: ProductTable;
/**
 * A category with children and grandchildren, the brand that is sold there most, and a range that
 * holds a third of the prices.
 */
let values: Required<ProductFilter>;
let categories: number;

beforeAll(async () => {
  db = await testDatabase();
  await seedCatalogue(db.database, DEFAULT_SEED);
  products = createProductTable(db.database);
  // As autovacuum leaves it, at a moment of its own: from then on indexes alone may answer, and the
  // planner chooses anew.
  await db.database.query(sql`VACUUM ANALYZE products`);
  const [root] = await db.database.query<{ id: number; size: number }>(
    sql`SELECT path[1] AS id, count(*) AS size FROM categories GROUP BY 1
      ORDER BY max(cardinality(path)) DESC, 2 DESC LIMIT 1`,
  );
  categories = root?.size ?? 0;
  const [brand] = await db.database.query<{ id: number }>(
    sql`SELECT brand_id AS id FROM products JOIN categories c ON c.id = category_id
      WHERE path @> ARRAY[${root?.id}::bigint] GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`,
  );
  values = {
    categoryId: root?.id ?? 0,
    brandId: brand?.id ?? 0,
    minPrice: 5_000,
    maxPrice: 15_000,
    inStock: true,
    text: "oak",
  };
});
afterAll(() => db?.close());

const filterOf = (columns: readonly (keyof ProductFilter)[]): ProductFilter =>
  Object.fromEntries(columns.map((column) => [column, values[column]]));

async function rowsRead(listings: readonly ListingRequest[]): Promise<number> {
  const plan = await planOf(db.database, pagesStatement(listings));
  // A first page that looks at nothing would keep every promise.
  if (listings.every(({ page }) => !page.after))
    expect(rowsReadBy(plan, "products", { indexesToo: true })).toBeGreaterThan(0);
  return Math.floor(rowsReadBy(plan, "products"));
}

async function allowed(bound: string, filter: ProductFilter): Promise<number> {
  const { categoryId, brandId, text } = filter;
  const scope = { ...(categoryId ? { categoryId } : {}), ...(brandId ? { brandId } : {}) };
  const [inScope = 0, matches = 0] = await products.counts([scope, text ? { text } : {}]);
  const bounds: Record<string, number> = {
    page: PAGE + 1,
    "page × categories": (PAGE + 1) * categories,
    matches,
    scope: inScope,
  };
  return bounds[bound] ?? Number.NaN;
}

/** The last row of the third page, or the last there is. */
async function someWayIn(filter: ProductFilter, sort: ProductSort): Promise<Position | null> {
  const [page] = await products.pages([{ filter, sort, page: { limit: 3 * PAGE, after: null } }]);
  return page?.rows.at(-1) ?? null;
}

describe("a page reads no more rows than docs/listings.md says", () => {
  for (const { columns, sorts, bound } of promises) {
    const filters = columns.join(", ") || "nothing";
    for (const sort of sorts) {
      test(`A page filtered by ${filters}, sorted by ${sort}, reads at most: ${bound}`, async () => {
        const filter = filterOf(columns);
        const most = await allowed(bound, filter);
        for (const after of [null, await someWayIn(filter, sort)]) {
          const read = await rowsRead([{ filter, sort, page: { limit: PAGE, after } }]);
          expect(read, after ? "on a later page" : "on the first page").toBeLessThanOrEqual(most);
        }
      });
    }
  }
});

test("The table has a row for every sort of every single filter.", () => {
  const single = promises.filter(
    ({ columns }) => columns.length <= 1 || columns.join() === "minPrice,maxPrice",
  );
  const pairs = single
    .flatMap(({ columns, sorts }) => sorts.map((sort) => `${columns.join()} ${sort}`))
    .sort();
  const filters = ["", "brandId", "categoryId", "inStock", "text", "minPrice,maxPrice"];
  expect(pairs).toEqual(
    filters.flatMap((filter) => PRODUCT_SORTS.map((sort) => `${filter} ${sort}`)).sort(),
  );
});

test("Ties cost nothing: a page amid a thousand equal prices reads one page.", async () => {
  await db.database.transaction(async (tx) => {
    await tx.query(sql`UPDATE products SET price = 777 WHERE id BETWEEN 2001 AND 3000`);
  });
  await db.database.query(sql`ANALYZE products`);
  for (const sort of ["PRICE_ASC", "PRICE_DESC"] as const) {
    expect(
      await rowsRead([
        { filter: {}, sort, page: { limit: PAGE, after: { value: 777, id: 2_500 } } },
      ]),
    ).toBeLessThanOrEqual(PAGE + 1);
  }
});

test("Fifty listings in one statement read fifty pages.", async () => {
  const leaves = await db.database.query<{ id: number }>(
    sql`SELECT category_id AS id FROM products GROUP BY 1 ORDER BY 1`,
  );
  const listings = leaves.map(
    ({ id }): ListingRequest => ({
      filter: { categoryId: id },
      sort: "RATING",
      page: { limit: PAGE, after: null },
    }),
  );
  expect(listings.length).toBeGreaterThan(30);
  expect(await rowsRead(listings)).toBeLessThanOrEqual(listings.length * (PAGE + 1));
});
