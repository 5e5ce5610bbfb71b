/**
 * The seed: a shop to try things on, the same on every machine.
 *
 * One transaction: interrupted, it leaves nothing behind and the next start seeds again. Rows are
 * sent a thousand at a time as arrays, and products are written once, with the ratings that the
 * reviews will add up to.
 */
import { sql } from "drizzle-orm";
import { CATALOGUE_TAG } from "../../domain/catalogue/tags.js";
import { changeEntry } from "../../domain/events/outbox.js";
import { mergeNewWords } from "../catalogue/search.js";
import { freeSlug } from "../catalogue/slugs.js";
import type { Database, Executor, Tx } from "../client/database.js";
import { LOCKS } from "../client/locks.js";
import { bigints, texts } from "../client/statements.js";
import { createOutboxTable } from "../outbox.js";
import { type InterestRow, interestIn, popularityOf } from "./interest.js";
import {
  brandNames,
  type CategoryRow,
  categoryRows,
  type ProductRow,
  productMaker,
  type ReviewRow,
  ratingMaker,
  reviewMaker,
  type SeedSizes,
} from "./rows.js";

/** What to make, and who wants to know how far it is. */
export interface SeedOptions extends SeedSizes {
  /** Called after every batch with rows done and rows in all. */
  readonly onProgress?: (done: number, all: number) => void;
}

const BATCH = 1_000;

/** The sizes of the default shop. */
export const DEFAULT_SEED: SeedSizes = {
  products: 10_000,
  reviews: 50_000,
  categories: 50,
  brands: 300,
  seed: 20_241_001,
};

/** Other sizes, in the proportions of the default shop. */
export function seedSizes(products: number): SeedSizes {
  const share = products / DEFAULT_SEED.products;
  return {
    ...DEFAULT_SEED,
    products,
    reviews: Math.round(DEFAULT_SEED.reviews * share),
    brands: Math.max(3, Math.round(DEFAULT_SEED.brands * Math.min(share, 5))),
  };
}

/** True while there is no catalogue. */
export async function isEmpty(executor: Executor): Promise<boolean> {
  const [row] = await executor.query<{ empty: boolean }>(sql`
    SELECT NOT (
      EXISTS (SELECT FROM products)
      OR EXISTS (SELECT FROM categories)
      OR EXISTS (SELECT FROM brands)) AS empty`);
  return row?.empty ?? false;
}

/**
 * Fills an empty database. Resolves to false, having done nothing, when it is not empty; several
 * processes may try at once.
 */
export function seedCatalogue(
  database: Database,
  { onProgress, ...sizes }: SeedOptions,
): Promise<boolean> {
  return database.transaction(
    async (tx) => {
      await tx.query(sql`SELECT pg_advisory_xact_lock(${LOCKS.bulk})`);
      if (!(await isEmpty(tx))) return false;
      await fill(tx, sizes, onProgress ?? (() => {}));
      await createOutboxTable(database).append(tx, [changeEntry({ tags: [CATALOGUE_TAG] })]);
      return true;
    },
    { patient: true },
  );
}

async function fill(
  tx: Tx,
  sizes: SeedSizes,
  onProgress: (done: number, all: number) => void,
): Promise<void> {
  const all = sizes.products + sizes.reviews;
  const categories = categoryRows(sizes.categories);
  const brands = brandNames(sizes.brands);
  await insertCategories(tx, categories);
  await tx.query(sql`
    INSERT INTO brands (id, name)
    SELECT number, name FROM unnest(${texts(brands)}) WITH ORDINALITY AS t(name, number)`);
  const things = await insertProducts(
    tx,
    { ...sizes, brands: brands.length },
    { categories, onProgress: (done) => onProgress(done, all) },
  );
  await insertReviews(tx, sizes, {
    things,
    onProgress: (done) => onProgress(sizes.products + done, all),
  });
  await mergeNewWords(tx);
  await continueNumbering(tx);
}

async function insertCategories(tx: Tx, rows: readonly CategoryRow[]): Promise<void> {
  const taken = new Set<string>();
  const names = new Map(rows.map(({ id, name }) => [id, name]));
  const slugs = rows.map(({ path }) =>
    freeSlug(
      path.map((id) => names.get(id) ?? ""),
      taken,
    ),
  );
  const paths = texts(rows.map(({ path }) => `{${path.join()}}`));
  await tx.query(sql`
    INSERT INTO categories (id, parent_id, name, slug, path)
    SELECT id, parent_id, name, slug, path::bigint[]
    FROM unnest(
      ${bigints(rows.map(({ id }) => id))},
      ${bigints(rows.map(({ parentId }) => parentId))},
      ${texts(rows.map(({ name }) => name))},
      ${texts(slugs)},
      ${paths}
    ) AS t(id, parent_id, name, slug, path)`);
}

interface ProductsToMake {
  readonly categories: readonly CategoryRow[];
  readonly onProgress: (done: number) => void;
}

/** Resolves to what each product is, for its reviews to talk about. */
async function insertProducts(
  tx: Tx,
  sizes: SeedSizes,
  { categories, onProgress }: ProductsToMake,
): Promise<string[]> {
  const { sums, counts } = addUpRatings(sizes);
  const make = productMaker(sizes, categories);
  const things: string[] = [];
  for (const numbers of batches(sizes.products)) {
    const rows = numbers.map(make);
    const interest = rows.map(({ id }) => interestIn(sizes.seed, id, counts[id] ?? 0));
    await insertProductBatch(tx, rows, {
      sums: rows.map(({ id }) => sums[id] ?? 0),
      counts: rows.map(({ id }) => counts[id] ?? 0),
      interest,
    });
    for (const { name } of rows) things.push(name.split(" ").slice(1).join(" ").toLowerCase());
    onProgress(things.length);
  }
  return things;
}

function addUpRatings(sizes: SeedSizes): { sums: Int32Array; counts: Int32Array } {
  const sums = new Int32Array(sizes.products + 1);
  const counts = new Int32Array(sizes.products + 1);
  const rate = ratingMaker(sizes);
  for (let index = 0; index < sizes.reviews; index++) {
    const { productId, rating } = rate(index);
    sums[productId] = (sums[productId] ?? 0) + rating;
    counts[productId] = (counts[productId] ?? 0) + 1;
  }
  return { sums, counts };
}

interface Additions {
  readonly sums: number[];
  readonly counts: number[];
  readonly interest: readonly InterestRow[];
}

async function insertProductBatch(
  tx: Tx,
  rows: readonly ProductRow[],
  { sums, counts, interest }: Additions,
): Promise<void> {
  const numbers = (name: "id" | "brandId" | "categoryId" | "price" | "stock") =>
    bigints(rows.map((row) => row[name]));
  const words = (name: "sku" | "name" | "description") => texts(rows.map((row) => row[name]));
  await tx.query(sql`
    INSERT INTO products (id, sku, name, description, brand_id, category_id, price, stock,
      rating_sum, rating_count, popularity, created_at, updated_at)
    SELECT id, sku, name, description, brand_id, category_id, price, stock,
      rating_sum, rating_count, popularity, created_at::timestamptz, created_at::timestamptz
    FROM unnest(${numbers("id")}, ${words("sku")}, ${words("name")}, ${words("description")},
      ${numbers("brandId")}, ${numbers("categoryId")}, ${numbers("price")}, ${numbers("stock")},
      ${bigints(sums)}, ${bigints(counts)}, ${bigints(interest.map(popularityOf))},
      ${moments(rows)})
      AS t(id, sku, name, description, brand_id, category_id, price, stock,
        rating_sum, rating_count, popularity, created_at)`);
  await insertInterest(tx, interest);
}

async function insertInterest(tx: Tx, rows: readonly InterestRow[]): Promise<void> {
  const numbers = (name: "productId" | "views" | "shares") => bigints(rows.map((row) => row[name]));
  await tx.query(sql`
    INSERT INTO product_tallies (product_id, period, views, shares, viewers, few)
    SELECT product_id, 'all', views, shares, viewers, few::jsonb
    FROM unnest(
      ${numbers("productId")},
      ${numbers("views")},
      ${numbers("shares")},
      ${bigints(rows.map(({ viewers }) => viewers.length))},
      ${texts(rows.map(({ viewers }) => JSON.stringify(viewers)))}
    ) AS t(product_id, views, shares, viewers, few)
    WHERE views > 0`);
}

interface ReviewsToMake {
  readonly things: readonly string[];
  readonly onProgress: (done: number) => void;
}

async function insertReviews(
  tx: Tx,
  sizes: SeedSizes,
  { things, onProgress }: ReviewsToMake,
): Promise<void> {
  const make = reviewMaker(sizes, (productId) => things[productId - 1] ?? "product");
  for (const numbers of batches(sizes.reviews)) {
    await insertReviewBatch(tx, numbers.map(make));
    onProgress((numbers.at(-1) ?? 0) + 1);
  }
}

async function insertReviewBatch(tx: Tx, rows: readonly ReviewRow[]): Promise<void> {
  const numbers = (name: "id" | "productId" | "rating") => bigints(rows.map((row) => row[name]));
  const words = (name: "author" | "body") => texts(rows.map((row) => row[name]));
  await tx.query(sql`
    INSERT INTO reviews (id, product_id, rating, author, body, created_at)
    SELECT id, product_id, rating, author, body, created_at::timestamptz
    FROM unnest(${numbers("id")}, ${numbers("productId")}, ${numbers("rating")},
      ${words("author")}, ${words("body")}, ${moments(rows)})
      AS t(id, product_id, rating, author, body, created_at)`);
}

const moments = (rows: readonly { createdAt: Date }[]) =>
  texts(rows.map(({ createdAt }) => createdAt.toISOString()));

/**
 * Rows came with their ids; the next ones are numbered behind them. Fresh statistics, because every
 * plan depends on them.
 */
async function continueNumbering(tx: Tx): Promise<void> {
  for (const table of ["categories", "brands", "products", "reviews"]) {
    await tx.query(sql`
      SELECT setval(pg_get_serial_sequence(${table}, 'id'),
        greatest((SELECT max(id) FROM ${sql.identifier(table)}), 1))`);
    await tx.query(sql`ANALYZE ${sql.identifier(table)}`);
  }
}

/** 0..count-1 in runs of {@link BATCH}. */
function* batches(count: number): Generator<number[]> {
  for (let start = 0; start < count; start += BATCH)
    yield Array.from({ length: Math.min(BATCH, count - start) }, (_, offset) => start + offset);
}
