/**
 * The database side of an import: rows are staged in a
 * temporary table and merged at the end.
 *
 * Everything happens in the caller's transaction, and the
 * temporary table ends with it. The catalogue is locked only
 * while the merge runs. Memory is one batch, whatever the
 * size of the file.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Tx } from "../client/database.js";
import { LOCKS } from "../client/locks.js";
import type { Row } from "../client/row.js";
import { bigints, texts } from "../client/statements.js";
import type { categories } from "../schema/catalogue.js";
import { mergeNewWords } from "./search.js";
import { freeSlug } from "./slugs.js";

/**
 * A product as an import names it: brand and category by
 * name, and its line.
 */
export interface ImportRow {
  readonly line: number;
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  /** Names from the root down; no name holds a control character. */
  readonly category: readonly string[];
  readonly brand: string;
  readonly price: number;
  readonly stock: number;
}

/** Rows dropped because an earlier one has the same sku. */
export interface Duplicates {
  readonly count: number;
  /** The first ones, by line. */
  readonly first: readonly {
    readonly line: number;
    readonly sku: string;
    readonly earlier: number;
  }[];
}

/** Numbers of products. */
export interface MergeCounts {
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
}

/** Staged rows. */
export interface Staging {
  add(rows: readonly ImportRow[]): Promise<void>;
  /** Drops every row whose sku an earlier line has. */
  dropDuplicates(): Promise<Duplicates>;
  /**
   * Makes missing brands and categories, then creates,
   * changes or revives products. Rows without a difference
   * change nothing.
   */
  merge(): Promise<MergeCounts>;
}

/**
 * Joins the names of a category path; control characters
 * occur in no name.
 */
const SEPARATOR = "\u001f";
const FIRST_DUPLICATES = 100;

/** Begins an import in `tx`. */
export async function openStaging(tx: Tx): Promise<Staging> {
  await tx.query(sql`
    CREATE TEMPORARY TABLE import_rows (
      line bigint, sku text, name text, description text,
      category text[], brand text, price bigint, stock integer
    ) ON COMMIT DROP`);
  await tx.query(sql`
    CREATE TEMPORARY TABLE import_categories (names text[] PRIMARY KEY, id bigint NOT NULL)
    ON COMMIT DROP`);
  return {
    add: (rows) => add(tx, rows),
    dropDuplicates: () => dropDuplicates(tx),
    merge: () => merge(tx),
  };
}

async function add(tx: Tx, rows: readonly ImportRow[]): Promise<void> {
  if (rows.length === 0) return;
  const numbers = (name: "line" | "price" | "stock") => bigints(rows.map((row) => row[name]));
  const words = (name: "sku" | "name" | "description" | "brand") =>
    texts(rows.map((row) => row[name]));
  const categories = texts(rows.map(({ category }) => category.join(SEPARATOR)));
  await tx.query(sql`
    INSERT INTO import_rows (line, sku, name, description, category, brand, price, stock)
    SELECT line, sku, name, description, string_to_array(category, ${SEPARATOR}),
      brand, price, stock
    FROM unnest(${numbers("line")}, ${words("sku")}, ${words("name")}, ${words("description")},
      ${categories}, ${words("brand")}, ${numbers("price")}, ${numbers("stock")})
      AS t(line, sku, name, description, category, brand, price, stock)`);
}

async function dropDuplicates(tx: Tx): Promise<Duplicates> {
  const rows = await tx.query<{ line: number; sku: string; earlier: number; all: number }>(sql`
    WITH ranked AS (
      SELECT line, sku, min(line) OVER (PARTITION BY sku) AS earlier FROM import_rows
    ), dropped AS (
      DELETE FROM import_rows r USING ranked d
      WHERE d.line = r.line AND d.earlier < r.line
      RETURNING d.line, d.sku, d.earlier
    )
    SELECT line, sku, earlier, count(*) OVER () AS "all"
    FROM dropped
    ORDER BY line LIMIT ${FIRST_DUPLICATES}`);
  return { count: rows[0]?.all ?? 0, first: rows };
}

async function merge(tx: Tx): Promise<MergeCounts> {
  await tx.query(sql`SELECT pg_advisory_xact_lock(${LOCKS.bulk})`);
  await tx.query(sql`ANALYZE import_rows`);
  await tx.query(sql`
    INSERT INTO brands (name)
    SELECT DISTINCT brand FROM import_rows ORDER BY brand
    ON CONFLICT (name) DO NOTHING`);
  await mergeCategories(tx);
  const [row] = await tx.query<MergeCounts>(UPSERT);
  await mergeNewWords(tx);
  return row ?? { created: 0, changed: 0, unchanged: 0 };
}

/** Level by level, because a category needs its parent's id. */
async function mergeCategories(tx: Tx): Promise<void> {
  const [deepest] = await tx.query<{ depth: number }>(
    sql`SELECT coalesce(max(cardinality(category)), 0) AS depth FROM import_rows`,
  );
  const taken = new Set(
    (await tx.query<Row<typeof categories, "slug">>(sql`SELECT slug FROM categories`)).map(
      ({ slug }) => slug,
    ),
  );
  for (let depth = 1; depth <= (deepest?.depth ?? 0); depth++) {
    await findCategories(tx, depth);
    await makeCategories(tx, depth, taken);
  }
  await tx.query(sql`ANALYZE import_categories`);
}

/** The paths of one level in the file. */
const namedAt = (depth: number): SQL => sql`
  SELECT DISTINCT category[1:${sql.raw(String(depth))}] AS names FROM import_rows
  WHERE cardinality(category) >= ${depth}`;

async function findCategories(tx: Tx, depth: number): Promise<void> {
  await tx.query(sql`
    INSERT INTO import_categories (names, id)
    SELECT n.names, c.id FROM (${namedAt(depth)}) n
    LEFT JOIN import_categories parent ON parent.names = n.names[1:${sql.raw(String(depth - 1))}]
    JOIN categories c ON c.name = n.names[${sql.raw(String(depth))}]
      AND c.parent_id IS NOT DISTINCT FROM parent.id`);
}

async function makeCategories(tx: Tx, depth: number, taken: Set<string>): Promise<void> {
  const missing = await tx.query<{ names: string[] }>(sql`
    SELECT names FROM (${namedAt(depth)}) n
    WHERE NOT EXISTS (SELECT FROM import_categories known WHERE known.names = n.names)
    ORDER BY names`);
  if (missing.length === 0) return;
  const level = sql.raw(String(depth));
  const paths = texts(missing.map(({ names }) => names.join(SEPARATOR)));
  const slugs = texts(missing.map(({ names }) => freeSlug(names, taken)));
  await tx.query(sql`
    WITH numbered AS (
      SELECT nextval(pg_get_serial_sequence('categories', 'id')) AS id,
        string_to_array(path, ${SEPARATOR}) AS names, slug
      FROM unnest(${paths}, ${slugs}) AS t(path, slug)
    ), made AS (
      INSERT INTO categories (id, parent_id, name, slug, path)
      SELECT n.id, parent.id, n.names[${level}], n.slug, coalesce(parent.path, '{}') || n.id
      FROM numbered n
      LEFT JOIN import_categories above ON above.names = n.names[1:${level} - 1]
      LEFT JOIN categories parent ON parent.id = above.id
    )
    INSERT INTO import_categories (names, id) SELECT names, id FROM numbered`);
}

/**
 * Answers counts alone, so that memory does not grow with the
 * rows. A freshly inserted row has no xmax.
 */
const UPSERT = sql`
  WITH written AS (
    INSERT INTO products AS p (sku, name, description, brand_id, category_id, price, stock)
    SELECT r.sku, r.name, r.description, b.id, c.id, r.price, r.stock
    FROM import_rows r
    JOIN brands b ON b.name = r.brand
    JOIN import_categories c ON c.names = r.category
    ORDER BY r.line
    ON CONFLICT (sku) DO UPDATE SET name = excluded.name, description = excluded.description,
      brand_id = excluded.brand_id, category_id = excluded.category_id,
      price = excluded.price, stock = excluded.stock,
      version = p.version + 1, updated_at = clock_timestamp(), removed_at = NULL
    WHERE (p.name, p.description, p.brand_id, p.category_id, p.price, p.stock, p.removed_at)
      IS DISTINCT FROM (excluded.name, excluded.description, excluded.brand_id,
        excluded.category_id, excluded.price, excluded.stock, NULL::timestamptz)
    RETURNING p.xmax = 0 AS created
  )
  SELECT count(*) FILTER (WHERE created) AS created,
    count(*) FILTER (WHERE NOT created) AS changed,
    (SELECT count(*) FROM import_rows) - count(*) AS unchanged
  FROM written`;
