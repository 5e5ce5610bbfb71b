/**
 * Counters of products: the flushed part of
 * redis/counters/counters.ts. It is all there is when Redis
 * is lost.
 *
 * One transaction applies a batch and its name, under a lock
 * of its shard. A second time the name is recognised. Reads
 * give the name of the last batch in them, from one snapshot.
 * So Redis can add the rest.
 */
import { sql } from "drizzle-orm";
import {
  type CounterBatch,
  DAYS_KEPT,
  MAX_COUNT,
  periodName,
  type Sketch,
  type StoredTally,
  type TallyKey,
} from "../../domain/counters.js";
import type { Database, Tx } from "../client/database.js";
import type { Nullable, Row } from "../client/row.js";
import { bigints, booleans, texts } from "../client/statements.js";
import type { counterShards, productTallies } from "../schema/counters.js";
import { LOCKING_DUE } from "./popularity.js";

export interface CounterTable {
  /**
   * Tallies in the order asked; zeros where there are none.
   * One statement.
   * @param shardOf names the shard of a product
   */
  stored(keys: readonly TallyKey[], shardOf: (productId: number) => number): Promise<StoredTally[]>;
  /** The last batch of a shard that was applied; "" before the first. */
  applied(shard: number): Promise<string>;
  /** Ids of products that were counted, above `after`, in order. */
  counted(after: number, limit: number): Promise<number[]>;
  /**
   * Applies a batch once. "repeated": it was applied before.
   * "stray": it does not follow the last one.
   */
  apply(
    batch: CounterBatch,
    sketches: readonly Sketch[],
  ): Promise<"applied" | "repeated" | "stray">;
  /**
   * Deletes days older than {@link DAYS_KEPT}; their months
   * stay. Resolves to the number of rows.
   */
  prune(): Promise<number>;
}

/** Null where nothing was flushed yet; `sketch` is base64. */
type TallyRow = Nullable<
  Row<typeof counterShards, "applied"> &
    Row<typeof productTallies, "views" | "shares" | "viewers" | "is_over" | "few"> & {
      sketch: string;
    }
>;

export function createCounterTable(database: Database): CounterTable {
  return {
    async stored(keys, shardOf) {
      if (keys.length === 0) return [];
      const products = bigints(keys.map(({ productId }) => productId));
      const periods = texts(keys.map(({ period }) => periodName(period)));
      const shards = bigints(keys.map(({ productId }) => shardOf(productId)));
      // Bytes travel as base64, which both drivers take in
      // arrays.
      const rows = await database.query<TallyRow>(sql`
        SELECT s.applied, t.views, t.shares, t.viewers, t.is_over,
          encode(t.sketch, 'base64') AS sketch, t.few
        FROM unnest(${products}, ${periods}, ${shards})
          WITH ORDINALITY AS q(product_id, period, shard, place)
        LEFT JOIN counter_shards s ON s.shard = q.shard
        LEFT JOIN product_tallies t ON t.product_id = q.product_id AND t.period = q.period
        ORDER BY q.place`);
      return rows.map(toStoredTally);
    },
    async applied(shard) {
      const [row] = await database.query<Row<typeof counterShards, "applied">>(
        sql`SELECT applied FROM counter_shards WHERE shard = ${shard}`,
      );
      return row?.applied ?? "";
    },
    async counted(after, limit) {
      const rows = await database.query<Row<typeof productTallies, "product_id">>(sql`
        SELECT product_id FROM product_tallies
        WHERE period = 'all' AND product_id > ${after}
        ORDER BY product_id LIMIT ${limit}`);
      return rows.map(({ product_id }) => product_id);
    },
    apply: (batch, sketches) => database.transaction((tx) => applyBatch(tx, batch, sketches)),
    async prune() {
      const rows = await database.query(sql`
        DELETE FROM product_tallies
        WHERE period < to_char(
            now() AT TIME ZONE 'UTC' - ${DAYS_KEPT} * interval '1 day', 'YYYY-MM-DD')
          AND period LIKE '____-__-__'
        RETURNING product_id`);
      return rows.length;
    },
  };
}

async function applyBatch(
  tx: Tx,
  { shard, id, prev, counts }: CounterBatch,
  sketches: readonly Sketch[],
): Promise<"applied" | "repeated" | "stray"> {
  await tx.query(sql`
    INSERT INTO counter_shards (shard, applied) VALUES (${shard}, '')
    ON CONFLICT (shard) DO NOTHING`);
  const [row] = await tx.query<Row<typeof counterShards, "applied">>(
    sql`SELECT applied FROM counter_shards WHERE shard = ${shard} FOR UPDATE`,
  );
  if (row?.applied === id) return "repeated";
  if (row?.applied !== prev) return "stray";
  const numbers = (name: "productId" | "views" | "shares") =>
    bigints(counts.map((count) => count[name]));
  const periods = texts(counts.map(({ period }) => period));
  await tx.query(sql`
    INSERT INTO product_tallies AS t (product_id, period, views, shares)
    SELECT product_id, period, views, shares
    FROM unnest(${numbers("productId")}, ${periods}, ${numbers("views")}, ${numbers("shares")})
      AS q(product_id, period, views, shares)
    ON CONFLICT (product_id, period) DO UPDATE
      SET views = least(t.views + excluded.views, ${MAX_COUNT}::bigint),
        shares = least(t.shares + excluded.shares, ${MAX_COUNT}::bigint)`);
  await keepSketches(tx, sketches);
  await tx.query(sql`
    INSERT INTO popularity_due (product_id)
    SELECT DISTINCT id FROM unnest(${numbers("productId")}) AS q(id) ORDER BY id
    ON CONFLICT ${LOCKING_DUE}`);
  await tx.query(sql`UPDATE counter_shards SET applied = ${id} WHERE shard = ${shard}`);
  return "applied";
}

/**
 * Sketches are read after the batch was cut, so each holds at
 * least its viewers. A viewer in both counts once.
 */
async function keepSketches(tx: Tx, sketches: readonly Sketch[]): Promise<void> {
  if (sketches.length === 0) return;
  const numbers = (name: "productId" | "viewers") =>
    bigints(sketches.map((sketch) => sketch[name]));
  await tx.query(sql`
    UPDATE product_tallies t SET viewers = q.viewers, is_over = q.is_over,
      sketch = decode(q.sketch, 'base64'), few = q.few::jsonb
    FROM unnest(
      ${numbers("productId")},
      ${texts(sketches.map(({ period }) => period))},
      ${numbers("viewers")},
      ${booleans(sketches.map(({ isOver }) => isOver))},
      ${texts(sketches.map(({ bytes }) => bytes?.toString("base64") ?? null))},
      ${texts(sketches.map(({ few }) => JSON.stringify(few)))}
    ) AS q(product_id, period, viewers, is_over, sketch, few)
    WHERE t.product_id = q.product_id AND t.period = q.period`);
}

const toStoredTally = ({
  applied,
  views,
  shares,
  viewers,
  is_over,
  sketch,
  few,
}: TallyRow): StoredTally => ({
  applied: applied ?? "",
  views: views ?? 0,
  shares: shares ?? 0,
  viewers: viewers ?? 0,
  sketch: sketch === null ? null : Buffer.from(sketch, "base64"),
  isOver: is_over ?? false,
  few: few ?? [],
});
