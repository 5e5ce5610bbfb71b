/**
 * Products: reads by id and by listing, the three writes of the admin, and ratings.
 *
 * Every write first locks its row, so that what it reports as "before" is what it changed; the
 * guard (stock never below zero) stands in the UPDATE itself and in a constraint beneath it. A
 * write reports the category path of both sides, because a cache that lists by category has to know
 * where the product was and where it is.
 */
import { type SQL, sql } from "drizzle-orm";
import type {
  ListingRequest,
  PlacedProduct,
  ProductDraft,
  ProductFilter,
  ProductRecord,
} from "../../domain/catalogue/catalogue.js";
import { MAX_STOCK } from "../../domain/catalogue/money.js";
import type { IdPage } from "../../domain/page.js";
import type { Database, Tx } from "../client/database.js";
import { bigints } from "../client/statements.js";
import { countsStatement, type PageRow, pagesStatement, toPages } from "./listings.js";

/** A row before and after a write. */
export interface ProductWrite {
  readonly before: PlacedProduct;
  readonly after: PlacedProduct;
}

/**
 * What {@link ProductTable.upsert} did: `before` is null for a new product and `removed` for a
 * revived one.
 */
export type UpsertResult =
  | { readonly before: PlacedProduct | null; readonly after: PlacedProduct }
  | { readonly missing: "brand" | "category" };

/** What is added to a product's ratings. */
export interface RatingChange {
  readonly sum: number;
  readonly count: number;
}

/** The products. */
export interface ProductTable {
  /**
   * The products with these ids, in any order; removed ones too, missing ones absent. One
   * statement.
   */
  byIds(ids: readonly number[]): Promise<ProductRecord[]>;
  /** A page of each listing, in the order asked. One statement. Removed products are not listed. */
  pages(listings: readonly ListingRequest[]): Promise<IdPage[]>;
  /** How many products each filter finds, in the order asked. One statement. */
  counts(filters: readonly ProductFilter[]): Promise<number[]>;
  /**
   * Creates, changes or revives the product of this sku. Where nothing differs, nothing is written
   * and the version stays.
   */
  upsert(tx: Tx, draft: ProductDraft): Promise<UpsertResult>;
  /** Adds `by` to the stock, unless that leaves 0..MAX_STOCK. */
  adjustStock(
    tx: Tx,
    id: number,
    by: number,
  ): Promise<ProductWrite | "missing" | "removed" | "negative" | "tooMuch">;
  /** Takes the product out of every list; its sku can be revived by an upsert. */
  remove(tx: Tx, id: number): Promise<ProductWrite | "missing" | "removed">;
  /**
   * Locks the product, has `change` say by what its ratings change, and adds that; where it is
   * nothing, the version stays.
   */
  rate<C extends RatingChange>(
    tx: Tx,
    id: number,
    change: () => Promise<C>,
  ): Promise<(ProductWrite & { readonly by: C }) | "missing" | "removed">;
}

/** A row as either driver answers it, and as JSON inside a row. */
interface ProductRow {
  readonly id: number;
  readonly version: number;
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly brand_id: number;
  readonly category_id: number;
  readonly price: number;
  readonly stock: number;
  readonly rating_sum: number;
  readonly rating_count: number;
  readonly removed: boolean;
  readonly updated_at: Date | string;
}

interface WriteRow {
  readonly before: ProductRow;
  readonly before_path: number[];
  readonly after: ProductRow;
  readonly after_path: number[];
}

const PLAIN_COLUMNS = [
  "id",
  "version",
  "sku",
  "name",
  "description",
  "brand_id",
  "category_id",
  "price",
  "stock",
  "rating_sum",
  "rating_count",
  "updated_at",
];

/** The products of one database. */
export function createProductTable(database: Database): ProductTable {
  return {
    async byIds(ids) {
      if (ids.length === 0) return [];
      const rows = await database.query<ProductRow>(sql`
        SELECT ${PLAIN}, removed_at IS NOT NULL AS removed FROM products
        WHERE id = ANY(${bigints(ids)})`);
      return rows.map(toRecord);
    },
    async pages(listings) {
      if (listings.length === 0) return [];
      return toPages(listings, await database.query<PageRow>(pagesStatement(listings)));
    },
    async counts(filters) {
      if (filters.length === 0) return [];
      const counts = filters.map(() => 0);
      for (const { listing, count } of await database.query<{ listing: number; count: number }>(
        countsStatement(filters),
      ))
        counts[listing] = count;
      return counts;
    },
    upsert,
    adjustStock,
    remove,
    rate,
  };
}

const PLAIN = sql.raw(PLAIN_COLUMNS.join(", "));
const NOW_UPDATED = sql.raw("updated_at = clock_timestamp()");
const asJson = (alias: string): SQL =>
  sql.raw(
    `json_build_object(${PLAIN_COLUMNS.map((name) => `'${name}', ${alias}.${name}`).join(", ")}, ` +
      `'removed', ${alias}.removed_at IS NOT NULL)`,
  );
const pathOf = (alias: string): SQL =>
  sql.raw(`(SELECT path FROM categories WHERE id = ${alias}.category_id)`);

async function upsert(tx: Tx, draft: ProductDraft): Promise<UpsertResult> {
  const missing = await missingPlace(tx, draft);
  if (missing) return { missing };
  const existing = await lockSku(tx, draft.sku);
  if (existing !== null) return change(tx, existing, draft);
  const created = await insert(tx, draft);
  if (created) return { before: null, after: created };
  // Somebody created the sku in between: skus are never deleted, so it is there to be locked now.
  const late = await lockSku(tx, draft.sku);
  if (late === null)
    throw new Error("A sku that was taken is gone: products must never be deleted.");
  return change(tx, late, draft);
}

async function missingPlace(
  tx: Tx,
  { brandId, categoryId }: ProductDraft,
): Promise<"brand" | "category" | null> {
  const [row] = await tx.query<{ brand: boolean; category: boolean }>(sql`
    SELECT EXISTS (SELECT FROM brands WHERE id = ${brandId}) AS brand,
      EXISTS (SELECT FROM categories WHERE id = ${categoryId}) AS category`);
  if (!row?.brand) return "brand";
  return row.category ? null : "category";
}

async function lockSku(tx: Tx, sku: string): Promise<number | null> {
  const [row] = await tx.query<{ id: number }>(
    sql`SELECT id FROM products WHERE sku = ${sku} FOR UPDATE`,
  );
  return row?.id ?? null;
}

async function insert(tx: Tx, draft: ProductDraft): Promise<PlacedProduct | null> {
  const [row] = await tx.query<Pick<WriteRow, "after" | "after_path">>(sql`
    INSERT INTO products AS p (sku, name, description, brand_id, category_id, price, stock)
    VALUES (${draft.sku}, ${draft.name}, ${draft.description}, ${draft.brandId},
      ${draft.categoryId}, ${draft.price}, ${draft.stock})
    ON CONFLICT (sku) DO NOTHING
    RETURNING ${asJson("p")} AS after, ${pathOf("p")} AS after_path`);
  return row ? placed(row.after, row.after_path) : null;
}

/** `id` is locked. Writes only what differs. */
async function change(tx: Tx, id: number, draft: ProductDraft): Promise<ProductWrite> {
  const { name, description, brandId, categoryId, price, stock } = draft;
  const written = await write(tx, id, {
    set: sql`name = ${name}, description = ${description}, brand_id = ${brandId},
      category_id = ${categoryId}, price = ${price}, stock = ${stock}, removed_at = NULL,
      ${NOW_UPDATED}`,
    where: sql`(p.name, p.description, p.brand_id, p.category_id, p.price, p.stock, p.removed_at)
      IS DISTINCT FROM (${name}::text, ${description}::text, ${brandId}::bigint,
        ${categoryId}::bigint, ${price}::bigint, ${stock}::integer, NULL::timestamptz)`,
  });
  return written ?? unchanged(tx, id);
}

/** `id` is locked, and nothing was written. */
async function unchanged(tx: Tx, id: number): Promise<ProductWrite> {
  const [row] = await tx.query<Pick<WriteRow, "after" | "after_path">>(sql`
    SELECT ${asJson("p")} AS after, ${pathOf("p")} AS after_path
    FROM products p
    WHERE id = ${id}`);
  if (!row) throw new Error("A locked product is gone: products must never be deleted.");
  const same = placed(row.after, row.after_path);
  return { before: same, after: same };
}

async function adjustStock(
  tx: Tx,
  id: number,
  by: number,
): Promise<ProductWrite | "missing" | "removed" | "negative" | "tooMuch"> {
  const refused = await lock(tx, id);
  if (refused) return refused;
  const written = await write(tx, id, {
    set: sql`stock = p.stock + ${by}::integer, ${NOW_UPDATED}`,
    where: sql`p.removed_at IS NULL
      AND p.stock::bigint + ${by}::bigint BETWEEN 0 AND ${MAX_STOCK}::bigint`,
  });
  return written ?? (by < 0 ? "negative" : "tooMuch");
}

async function remove(tx: Tx, id: number): Promise<ProductWrite | "missing" | "removed"> {
  const refused = await lock(tx, id);
  if (refused) return refused;
  return (
    (await write(tx, id, {
      set: sql`removed_at = clock_timestamp(), ${NOW_UPDATED}`,
      where: sql`p.removed_at IS NULL`,
    })) ?? "removed"
  );
}

async function rate<C extends RatingChange>(tx: Tx, id: number, change: () => Promise<C>) {
  const refused = await lock(tx, id);
  if (refused) return refused;
  const by = await change();
  const written = await write(tx, id, {
    // The shop has changed nothing: `updated_at` stays.
    set: sql`rating_sum = p.rating_sum + ${by.sum}::bigint,
      rating_count = p.rating_count + ${by.count}::bigint`,
    where: sql`(${by.sum}::bigint, ${by.count}::bigint) <> (0, 0)`,
  });
  return { ...(written ?? (await unchanged(tx, id))), by };
}

/**
 * Holds the row until the transaction ends. A statement of its own: the ones after it see
 * everything that was committed before the lock was had, a category made meanwhile included.
 */
async function lock(tx: Tx, id: number): Promise<"missing" | "removed" | null> {
  const [row] = await tx.query<{ removed: boolean }>(
    sql`SELECT removed_at IS NOT NULL AS removed FROM products WHERE id = ${id} FOR UPDATE`,
  );
  if (!row) return "missing";
  return row.removed ? "removed" : null;
}

/** The one UPDATE: `b` is the row as it was. Null when `where` refused. */
async function write(
  tx: Tx,
  id: number,
  { set, where }: { set: SQL; where: SQL },
): Promise<ProductWrite | null> {
  const [row] = await tx.query<WriteRow>(sql`
    UPDATE products p SET ${set}, version = p.version + 1
    FROM products b WHERE p.id = ${id} AND b.id = p.id AND ${where}
    RETURNING ${asJson("b")} AS before, ${pathOf("b")} AS before_path,
      ${asJson("p")} AS after, ${pathOf("p")} AS after_path`);
  return row
    ? { before: placed(row.before, row.before_path), after: placed(row.after, row.after_path) }
    : null;
}

const placed = (row: ProductRow, categoryPath: number[]): PlacedProduct => ({
  product: toRecord(row),
  categoryPath,
});

function toRecord(row: ProductRow): ProductRecord {
  return {
    id: row.id,
    version: row.version,
    sku: row.sku,
    name: row.name,
    description: row.description,
    brandId: row.brand_id,
    categoryId: row.category_id,
    price: row.price,
    stock: row.stock,
    ratingSum: row.rating_sum,
    ratingCount: row.rating_count,
    removed: row.removed,
    updatedAt: new Date(row.updated_at).toISOString(),
  };
}
