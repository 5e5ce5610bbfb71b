/**
 * Writes of products, each under the lock of its row. So what
 * a write reports as "before" is what it changed. Both paths
 * are reported, because cached lists by category depend on
 * both. The UPDATE keeps stock from falling below zero, and
 * so does a constraint.
 */
import { type SQL, sql } from "drizzle-orm";
import type { PlacedProduct, ProductDraft } from "../../domain/catalogue/catalogue.js";
import { MAX_STOCK } from "../../domain/catalogue/money.js";
import type { Tx } from "../client/database.js";
import type { Row } from "../client/row.js";
import type { products } from "../schema/catalogue.js";
import { type ProductJson, productJson, toProductRecord } from "./product-row.js";

export interface ProductWrite {
  readonly before: PlacedProduct;
  readonly after: PlacedProduct;
}

/** `before` is null for a new product and `removed` for a revived one. */
export type UpsertResult =
  | { readonly before: PlacedProduct | null; readonly after: PlacedProduct }
  | { readonly missing: "brand" | "category" };

/** Added to the ratings of a product. */
export interface RatingChange {
  readonly sum: number;
  readonly count: number;
}

interface WriteRow {
  readonly before: ProductJson;
  readonly before_path: number[];
  readonly after: ProductJson;
  readonly after_path: number[];
}

const NOW_UPDATED = sql.raw("updated_at = clock_timestamp()");
const pathOf = (alias: string): SQL =>
  sql.raw(`(SELECT path FROM categories WHERE id = ${alias}.category_id)`);

export async function upsert(tx: Tx, draft: ProductDraft): Promise<UpsertResult> {
  const missing = await missingPlace(tx, draft);
  if (missing) return { missing };
  const existing = await lockSku(tx, draft.sku);
  if (existing !== null) return changeLocked(tx, existing, draft);
  const created = await insert(tx, draft);
  if (created) return { before: null, after: created };
  // Another session created the sku in between. Skus are
  // never deleted, so it can be locked now.
  const late = await lockSku(tx, draft.sku);
  if (late === null)
    throw new Error("A sku that was taken is gone: products must never be deleted.");
  return changeLocked(tx, late, draft);
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
  const [row] = await tx.query<Row<typeof products, "id">>(
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
    RETURNING ${productJson("p")} AS after, ${pathOf("p")} AS after_path`);
  return row ? placed(row.after, row.after_path) : null;
}

/** `id` is locked. Writes only what differs. */
async function changeLocked(tx: Tx, id: number, draft: ProductDraft): Promise<ProductWrite> {
  const { name, description, brandId, categoryId, price, stock } = draft;
  const written = await update(tx, id, {
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
    SELECT ${productJson("p")} AS after, ${pathOf("p")} AS after_path
    FROM products p
    WHERE id = ${id}`);
  if (!row) throw new Error("A locked product is gone: products must never be deleted.");
  const same = placed(row.after, row.after_path);
  return { before: same, after: same };
}

export async function adjustStock(
  tx: Tx,
  id: number,
  by: number,
): Promise<ProductWrite | "missing" | "removed" | "negative" | "tooMuch"> {
  const refused = await lock(tx, id);
  if (refused) return refused;
  const written = await update(tx, id, {
    set: sql`stock = p.stock + ${by}::integer, ${NOW_UPDATED}`,
    where: sql`p.removed_at IS NULL
      AND p.stock::bigint + ${by}::bigint BETWEEN 0 AND ${MAX_STOCK}::bigint`,
  });
  return written ?? (by < 0 ? "negative" : "tooMuch");
}

export async function remove(tx: Tx, id: number): Promise<ProductWrite | "missing" | "removed"> {
  const refused = await lock(tx, id);
  if (refused) return refused;
  return (
    (await update(tx, id, {
      set: sql`removed_at = clock_timestamp(), ${NOW_UPDATED}`,
      where: sql`p.removed_at IS NULL`,
    })) ?? "removed"
  );
}

export async function addRating<C extends RatingChange>(
  tx: Tx,
  id: number,
  change: () => Promise<C>,
) {
  const refused = await lock(tx, id);
  if (refused) return refused;
  const by = await change();
  const written = await update(tx, id, {
    // A rating is no change by the shop: `updated_at` stays.
    set: sql`rating_sum = p.rating_sum + ${by.sum}::bigint,
      rating_count = p.rating_count + ${by.count}::bigint`,
    where: sql`(${by.sum}::bigint, ${by.count}::bigint) <> (0, 0)`,
  });
  return { ...(written ?? (await unchanged(tx, id))), by };
}

/**
 * Holds the row until the transaction ends. A statement of
 * its own: later ones see all that was committed before the
 * lock was granted, new categories included.
 */
async function lock(tx: Tx, id: number): Promise<"missing" | "removed" | null> {
  const [row] = await tx.query<{ removed: boolean }>(
    sql`SELECT removed_at IS NOT NULL AS removed FROM products WHERE id = ${id} FOR UPDATE`,
  );
  if (!row) return "missing";
  return row.removed ? "removed" : null;
}

/**
 * The one UPDATE: `b` is the row as it was. Null when `where`
 * refused.
 */
async function update(
  tx: Tx,
  id: number,
  { set, where }: { set: SQL; where: SQL },
): Promise<ProductWrite | null> {
  const [row] = await tx.query<WriteRow>(sql`
    UPDATE products p SET ${set}, version = p.version + 1
    FROM products b WHERE p.id = ${id} AND b.id = p.id AND ${where}
    RETURNING ${productJson("b")} AS before, ${pathOf("b")} AS before_path,
      ${productJson("p")} AS after, ${pathOf("p")} AS after_path`);
  return row
    ? { before: placed(row.before, row.before_path), after: placed(row.after, row.after_path) }
    : null;
}

const placed = (row: ProductJson, categoryPath: number[]): PlacedProduct => ({
  product: toProductRecord(row),
  categoryPath,
});
