/**
 * Popularity, the sort key of POPULAR: views, plus likes and
 * shares weighted as views, rounded to three digits. Without
 * rounding each view would update several indexes of
 * `products`. It is computed from stored counters, so the
 * computation is idempotent. Only products that changed are
 * computed again.
 */
import { sql } from "drizzle-orm";
import { POPULARITY_WEIGHTS } from "../../domain/counters.js";
import type { Tx } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints } from "../client/statements.js";
import type { popularityDue } from "../schema/counters.js";

/**
 * For inserts into `popularity_due`. The insert locks an
 * existing row: {@link takeDue} skips it until the count is
 * committed.
 */
export const LOCKING_DUE = sql.raw("(product_id) DO UPDATE SET product_id = excluded.product_id");

/**
 * Takes up to `limit` products that are due, and holds them
 * until the commit. Products that another session holds stay
 * due.
 */
export async function takeDue(tx: Tx, limit: number): Promise<number[]> {
  const rows = await tx.query<Row<typeof popularityDue>>(sql`
    DELETE FROM popularity_due WHERE product_id IN (
      SELECT d.product_id FROM popularity_due d JOIN products p ON p.id = d.product_id
      ORDER BY d.product_id LIMIT ${limit}
      FOR UPDATE OF d SKIP LOCKED
      FOR NO KEY UPDATE OF p SKIP LOCKED)
    RETURNING product_id`);
  return rows.map(({ product_id }) => product_id);
}

/** Skips a product until it is counted again. */
export async function skipDue(tx: Tx, productId: number): Promise<void> {
  await tx.query(sql`DELETE FROM popularity_due WHERE product_id = ${productId}::bigint`);
}

/**
 * Computes the popularity of products that were taken.
 * Resolves to how many changed.
 */
export async function computePopularity(tx: Tx, productIds: readonly number[]): Promise<number> {
  const { likes, shares } = POPULARITY_WEIGHTS;
  // A statement of its own: it sees what was committed before
  // the products were taken.
  const changed = await tx.query(sql`
    WITH counted AS (
      SELECT d.id, (
        coalesce(t.views, 0)
        + ${shares} * coalesce(t.shares, 0)
        + ${likes} * coalesce(l.likes, 0))::numeric AS score
      FROM unnest(${bigints(productIds)}) AS d(id)
      LEFT JOIN product_tallies t ON t.product_id = d.id AND t.period = 'all'
      LEFT JOIN product_likes l ON l.product_id = d.id
    ), rounded AS (
      SELECT id, least(
        CASE WHEN score < 1000 THEN score ELSE round(score, 2 - floor(log(score))::integer) END,
        ${Number.MAX_SAFE_INTEGER})::bigint AS score
      FROM counted ORDER BY id
    )
    UPDATE products p SET popularity = r.score
    FROM rounded r
    WHERE p.id = r.id AND p.popularity <> r.score
    RETURNING p.id`);
  return changed.length;
}
