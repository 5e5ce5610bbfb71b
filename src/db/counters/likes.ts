/**
 * Likes: one row for each user and product, so that a second
 * like changes nothing. A second table holds the number of a
 * product's likes. The same transaction changes it, under a
 * lock of its row.
 */
import { type SQL, sql } from "drizzle-orm";
import { NOW_MS } from "../client/clock.js";
import type { Database, Tx } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints, texts } from "../client/statements.js";
import type { productLikes } from "../schema/counters.js";
import { LOCKING_DUE } from "./popularity.js";

/** A user and a product. */
export interface LikeKey {
  readonly productId: number;
  readonly userId: number;
}

/** Likes of a product since a time, by day or month. */
export interface LikesSinceKey {
  readonly productId: number;
  readonly sinceMs: number;
  readonly by: "day" | "month";
}

/**
 * `likes` is the new number, null when nothing changed.
 * `version` is the time of the change, in ms.
 */
export interface LikeChange {
  readonly likes: number | null;
  readonly version: number;
}

export interface LikeTable {
  /** Likes a product. Idempotent. */
  add(tx: Tx, key: LikeKey): Promise<LikeChange | "missing" | "removed">;
  /** Takes a like back. Idempotent. */
  remove(tx: Tx, key: LikeKey): Promise<LikeChange | "missing" | "removed">;
  /**
   * Number of likes of each product, in the order asked. One
   * statement.
   */
  counts(productIds: readonly number[]): Promise<number[]>;
  /** Whether each like exists, in the order asked. One statement. */
  given(keys: readonly LikeKey[]): Promise<boolean[]>;
  /**
   * Products whose number of likes differs from the rows;
   * `excess` is by how much it is too high. With `onRepair`
   * the numbers are corrected, and it is called in the same
   * transaction.
   */
  recount(
    onRepair?: (tx: Tx, productIds: readonly number[]) => Promise<unknown>,
  ): Promise<{ productId: number; excess: number }[]>;
  /**
   * Likes by day (`2026-11-03`) or month (`2026-11`) in UTC,
   * in the order asked. One statement.
   */
  since(keys: readonly LikesSinceKey[]): Promise<ReadonlyMap<string, number>[]>;
}

const SPAN_FORMATS = { day: "YYYY-MM-DD", month: "YYYY-MM" } as const;

export function createLikeTable(database: Database): LikeTable {
  return {
    add: (tx, { productId, userId }) =>
      changeLikes(tx, productId, {
        fact: sql`
          INSERT INTO likes (product_id, user_id)
          VALUES (${productId}::bigint, ${userId}::bigint)
          ON CONFLICT (product_id, user_id) DO NOTHING
          RETURNING product_id`,
        by: 1,
      }),
    remove: (tx, { productId, userId }) =>
      changeLikes(tx, productId, {
        fact: sql`
          DELETE FROM likes
          WHERE product_id = ${productId}::bigint AND user_id = ${userId}::bigint
          RETURNING product_id`,
        by: -1,
      }),
    async counts(productIds) {
      if (productIds.length === 0) return [];
      const rows = await database.query<Row<typeof productLikes>>(sql`
        SELECT product_id, likes FROM product_likes
        WHERE product_id = ANY(${bigints(productIds)})`);
      const counts = new Map(rows.map(({ product_id, likes }) => [product_id, likes]));
      return productIds.map((id) => counts.get(id) ?? 0);
    },
    async given(keys) {
      if (keys.length === 0) return [];
      const products = bigints(keys.map(({ productId }) => productId));
      const users = bigints(keys.map(({ userId }) => userId));
      const rows = await database.query<{ given: boolean }>(sql`
        SELECT l.product_id IS NOT NULL AS given
        FROM unnest(${products}, ${users}) WITH ORDINALITY AS q(product_id, user_id, place)
        LEFT JOIN likes l ON l.product_id = q.product_id AND l.user_id = q.user_id
        ORDER BY q.place`);
      return rows.map(({ given }) => given);
    },
    since: (keys) => since(database, keys),
    recount: (onRepair) => recount(database, onRepair),
  };
}

async function changeLikes(
  tx: Tx,
  productId: number,
  { fact, by }: { fact: SQL; by: 1 | -1 },
): Promise<LikeChange | "missing" | "removed"> {
  const [product] = await tx.query<{ removed: boolean }>(
    sql`SELECT removed_at IS NOT NULL AS removed FROM products WHERE id = ${productId}`,
  );
  if (!product) return "missing";
  if (product.removed) return "removed";
  const [row] = await tx.query<Row<typeof productLikes, "likes"> & { version: number }>(sql`
    WITH fact AS (${fact})
    INSERT INTO product_likes AS c (product_id, likes)
    SELECT product_id, greatest(${by}, 0)::bigint FROM fact
    ON CONFLICT (product_id) DO UPDATE SET likes = c.likes + ${by}::bigint
    RETURNING likes, ${NOW_MS} AS version`);
  if (!row) return { likes: null, version: 0 };
  await tx.query(sql`
    INSERT INTO popularity_due (product_id) VALUES (${productId}::bigint)
    ON CONFLICT ${LOCKING_DUE}`);
  return row;
}

async function since(
  database: Database,
  keys: readonly LikesSinceKey[],
): Promise<ReadonlyMap<string, number>[]> {
  const counts = keys.map(() => new Map<string, number>());
  if (keys.length === 0) return counts;
  const products = bigints(keys.map(({ productId }) => productId));
  const starts = texts(keys.map(({ sinceMs }) => new Date(sinceMs).toISOString()));
  const formats = texts(keys.map(({ by }) => SPAN_FORMATS[by]));
  const rows = await database.query<{ place: number; span: string; likes: number }>(sql`
    SELECT q.place, to_char(l.created_at AT TIME ZONE 'UTC', q.format) AS span,
      count(*) AS likes
    FROM unnest(${products}, ${starts}, ${formats})
      WITH ORDINALITY AS q(product_id, since, format, place)
    JOIN likes l ON l.product_id = q.product_id AND l.created_at >= q.since::timestamptz
    GROUP BY q.place, span`);
  for (const { place, span, likes } of rows) counts[place - 1]?.set(span, likes);
  return counts;
}

/** Locks the numbers it repairs, so that no like is added meanwhile. */
async function recount(
  database: Database,
  onRepair: Parameters<LikeTable["recount"]>[0],
): ReturnType<LikeTable["recount"]> {
  const differing = sql`
    SELECT product_id, coalesce(c.likes, 0) - coalesce(f.likes, 0) AS excess
    FROM (SELECT product_id, count(*) AS likes FROM likes GROUP BY product_id) f
    FULL JOIN product_likes c USING (product_id)
    WHERE coalesce(c.likes, 0) <> coalesce(f.likes, 0)
    ORDER BY product_id`;
  return database.transaction(
    async (tx) => {
      if (onRepair) await tx.query(sql`LOCK TABLE product_likes IN SHARE ROW EXCLUSIVE MODE`);
      const rows = await tx.query<Row<typeof productLikes, "product_id"> & { excess: number }>(
        differing,
      );
      const ids = rows.map(({ product_id }) => product_id);
      if (onRepair && rows.length > 0) {
        await tx.query(sql`
          INSERT INTO product_likes (product_id, likes)
          SELECT id, (SELECT count(*) FROM likes WHERE product_id = id)
          FROM unnest(${bigints(ids)}) AS q(id)
          ON CONFLICT (product_id) DO UPDATE SET likes = excluded.likes`);
        await onRepair(tx, ids);
      }
      return rows.map(({ product_id, excess }) => ({ productId: product_id, excess }));
    },
    { patient: true },
  );
}
