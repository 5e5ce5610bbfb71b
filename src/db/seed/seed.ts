/**
 * The seed: a demo shop, the same on every machine.
 *
 * One transaction: interrupted, it leaves nothing behind and
 * the next start seeds again. Rows are sent in batches, as
 * arrays; the next batch is made meanwhile. Products are
 * written once, with the final sums of their ratings.
 */
import { sql } from "drizzle-orm";
import { CATALOGUE_TAG } from "../../domain/catalogue/tags.js";
import { changeEntry } from "../../domain/events/outbox.js";
import { mergeNewWords } from "../catalogue/search.js";
import type { Database, Executor, Tx } from "../client/database.js";
import { LOCKS } from "../client/locks.js";
import { texts } from "../client/statements.js";
import { createOutboxTable } from "../outbox.js";
import { batches, makeInTurns, writeBatches } from "./batches.js";
import { insertCategories, insertProductBatch, insertReviewBatch } from "./insert.js";
import { interestIn } from "./interest.js";
import {
  brandNames,
  categoryRows,
  productMaker,
  ratingMaker,
  reviewMaker,
  type SeedCategory,
  type SeedSizes,
} from "./rows.js";

export interface SeedOptions extends SeedSizes {
  /** Called after every batch with rows done and rows in all. */
  readonly onProgress?: (done: number, all: number) => void;
}

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
 * Fills an empty database; false, and nothing is done, when
 * it is not empty. Safe for concurrent processes.
 */
export function seedCatalogue(
  database: Database,
  { onProgress, ...sizes }: SeedOptions,
): Promise<boolean> {
  return database.transaction(
    async (tx) => {
      await tx.query(sql`SELECT pg_advisory_xact_lock(${LOCKS.bulk})`);
      if (!(await isEmpty(tx))) return false;
      // A fifth of the time goes into foreign keys that hold by
      // construction. Only a superuser may leave them unchecked.
      const isSuperuser = database.kind === "pglite";
      if (isSuperuser) await checkForeignKeys(tx, false);
      await insertShop(tx, sizes, onProgress ?? (() => {}));
      if (isSuperuser) await checkForeignKeys(tx, true);
      await createOutboxTable(database).append(tx, [changeEntry({ tags: [CATALOGUE_TAG] })]);
      return true;
    },
    { patient: true },
  );
}

async function checkForeignKeys(tx: Tx, isOn: boolean): Promise<void> {
  await tx.query(sql`SET LOCAL session_replication_role = ${sql.raw(isOn ? "origin" : "replica")}`);
}

async function insertShop(
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

interface ProductsToMake {
  readonly categories: readonly SeedCategory[];
  readonly onProgress: (done: number) => void;
}

/** Resolves to the kind of each product, for its reviews. */
async function insertProducts(
  tx: Tx,
  sizes: SeedSizes,
  { categories, onProgress }: ProductsToMake,
): Promise<string[]> {
  const { sums, counts } = await addUpRatings(sizes);
  const make = productMaker(sizes, categories);
  const things: string[] = [];
  await writeBatches(sizes.products, {
    make(number) {
      const row = make(number);
      return { row, interest: interestIn(sizes.seed, row.id, counts[row.id] ?? 0) };
    },
    async write(made) {
      const rows = made.map(({ row }) => row);
      for (const { name } of rows) things.push(name.split(" ").slice(1).join(" ").toLowerCase());
      await insertProductBatch(tx, rows, {
        sums: rows.map(({ id }) => sums[id] ?? 0),
        counts: rows.map(({ id }) => counts[id] ?? 0),
        interest: made.map(({ interest }) => interest),
      });
    },
    onProgress,
  });
  return things;
}

async function addUpRatings(sizes: SeedSizes): Promise<{ sums: Int32Array; counts: Int32Array }> {
  const sums = new Int32Array(sizes.products + 1);
  const counts = new Int32Array(sizes.products + 1);
  const rate = ratingMaker(sizes);
  for (const numbers of batches(sizes.reviews)) {
    for (const { productId, rating } of await makeInTurns(numbers, rate)) {
      sums[productId] = (sums[productId] ?? 0) + rating;
      counts[productId] = (counts[productId] ?? 0) + 1;
    }
  }
  return { sums, counts };
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
  await writeBatches(sizes.reviews, {
    make,
    write: (rows) => insertReviewBatch(tx, rows),
    onProgress,
  });
}

/**
 * Rows came with their ids; the next ones are numbered behind
 * them. Fresh statistics, because every plan depends on them.
 */
async function continueNumbering(tx: Tx): Promise<void> {
  for (const table of ["categories", "brands", "products", "reviews"]) {
    await tx.query(sql`
      SELECT setval(pg_get_serial_sequence(${table}, 'id'),
        greatest((SELECT max(id) FROM ${sql.identifier(table)}), 1))`);
    await tx.query(sql`ANALYZE ${sql.identifier(table)}`);
  }
}
