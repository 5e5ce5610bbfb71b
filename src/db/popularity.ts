/**
 * Popularity: what POPULAR sorts by. A product's views, with likes and shares at the price of so many views, rounded to three digits:
 * a row of `products` stands in several indexes, and a view among ten thousand moves nobody. Computed from what is stored, so it can be
 * repeated, and only for products whose counters changed.
 */
import { sql } from "drizzle-orm";
import { POPULARITY_WEIGHTS } from "../domain/counters.js";
import type { Tx } from "./database.js";

/** What a round did. */
export interface PopularityRound {
  /** Products that were looked at. */
  readonly due: number;
  /** Those whose popularity is another now. */
  readonly changed: number;
}

/** Leaves out the first product that is due, until it is counted again. Resolves to its id; null where none is due. */
export async function skipPopularity(tx: Tx): Promise<number | null> {
  const [row] = await tx.query<{ product_id: number }>(sql`
    DELETE FROM popularity_due WHERE product_id IN
      (SELECT product_id FROM popularity_due ORDER BY product_id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING product_id`);
  return row?.product_id ?? null;
}

/** Computes the popularity of up to `limit` products that are due. One that another session holds stays due. */
export async function refreshPopularity(tx: Tx, limit: number): Promise<PopularityRound> {
  const { likes, shares } = POPULARITY_WEIGHTS;
  const due = await tx.query<{ product_id: number }>(sql`
    DELETE FROM popularity_due WHERE product_id IN (
      SELECT d.product_id FROM popularity_due d JOIN products p ON p.id = d.product_id
      ORDER BY d.product_id LIMIT ${limit} FOR UPDATE OF d SKIP LOCKED FOR NO KEY UPDATE OF p SKIP LOCKED) RETURNING product_id`);
  if (due.length === 0) return { due: 0, changed: 0 };
  // A statement of its own: it sees what was committed before the rows above were had.
  const changed = await tx.query(sql`
    WITH counted AS (
      SELECT d.id, (coalesce(t.views, 0) + ${shares} * coalesce(t.shares, 0) + ${likes} * coalesce(l.likes, 0))::numeric AS score
      FROM unnest(${sql.param(due.map(({ product_id }) => product_id))}::bigint[]) AS d(id)
      LEFT JOIN product_tallies t ON t.product_id = d.id AND t.period = 'all'
      LEFT JOIN product_likes l ON l.product_id = d.id
    ), rounded AS (
      SELECT id, least(CASE WHEN score < 1000 THEN score ELSE round(score, 2 - floor(log(score))::integer) END, ${Number.MAX_SAFE_INTEGER})::bigint AS score
      FROM counted ORDER BY id
    )
    UPDATE products p SET popularity = r.score FROM rounded r WHERE p.id = r.id AND p.popularity <> r.score RETURNING p.id`);
  return { due: due.length, changed: changed.length };
}
