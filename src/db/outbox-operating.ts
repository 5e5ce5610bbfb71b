/**
 * The outbox for operators: how much waits and since when, what
 * was set aside, and its repair.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "./client/database.js";
import { bigints } from "./client/statements.js";
import { OUTBOX_CHANNEL } from "./outbox.js";

/** How the outbox is. */
export interface OutboxState {
  /** Rows that will be sent. */
  readonly waiting: number;
  /** Rows that were given up. */
  readonly setAside: number;
  /** Age of the oldest row that waits; 0 where none does. */
  readonly oldestMs: number;
}

/** A row that was set aside, or fails. */
export interface TroubledRow {
  readonly id: number;
  readonly ageMs: number;
  readonly setAside: boolean;
  readonly attempts: number;
  readonly kind: string;
  /**
   * Items by list; null where it is no list. The first {@link
   * MAX_LISTS}.
   */
  readonly holds: Readonly<Record<string, number | null>>;
  readonly keys: readonly string[];
  readonly error: string;
}

/** Lists of a payload that are counted; real ones have fewer. */
const MAX_LISTS = 10;

/** Which rows are tried again. */
export type RetryTarget = readonly number[] | "all";

/** The outbox of one database, for operators. */
export function createOutboxOperating(database: Database) {
  return {
    /** One statement. */
    async state(): Promise<OutboxState> {
      const [row] = await database.query<{
        waiting: number;
        set_aside: number;
        oldest_ms: number | null;
      }>(sql`
        SELECT count(*) FILTER (WHERE set_aside_at IS NULL) AS waiting,
          count(set_aside_at) AS set_aside,
          (extract(
            epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE set_aside_at IS NULL)
          ) * 1000)::float8 AS oldest_ms
        FROM outbox`);
      return {
        waiting: row?.waiting ?? 0,
        setAside: row?.set_aside ?? 0,
        oldestMs: Math.max(0, row?.oldest_ms ?? 0),
      };
    },
    /**
     * The first `limit` rows that were set aside or have failed, in
     * order.
     */
    troubled: (limit: number): Promise<TroubledRow[]> =>
      rowsOf(
        database,
        sql`set_aside_at IS NOT NULL OR last_error IS NOT NULL ORDER BY id LIMIT ${limit}::bigint`,
      ),
    /** One row, failed or not. */
    row: async (id: number): Promise<TroubledRow | null> =>
      (await rowsOf(database, sql`id = ${id}::bigint`))[0] ?? null,
    /**
     * Has rows sent anew, with all their attempts, and wakes the
     * relays. Resolves to their ids.
     */
    retry: (target: RetryTarget): Promise<readonly number[]> => retryRows(database, target),
    /**
     * Forgets a row that was set aside. False when there is no such
     * row.
     */
    async drop(id: number): Promise<boolean> {
      const rows = await database.query(
        sql`DELETE FROM outbox WHERE id = ${id}::bigint AND set_aside_at IS NOT NULL RETURNING id`,
      );
      return rows.length > 0;
    },
  };
}

/** The outbox of one database, for operators. */
export type OutboxOperating = ReturnType<typeof createOutboxOperating>;

type TroubledColumns = Omit<TroubledRow, "ageMs" | "setAside"> & {
  readonly age_ms: number;
  readonly set_aside: boolean;
};

/**
 * Items are counted whatever their number: patiently, because
 * long payloads take their time.
 */
async function rowsOf(database: Database, which: SQL): Promise<TroubledRow[]> {
  const read = sql`
    SELECT id, (extract(epoch FROM clock_timestamp() - created_at) * 1000)::float8 AS age_ms,
      set_aside_at IS NOT NULL AS set_aside, attempts, kind, ${HOLDS} AS holds,
      keys[1:5] AS keys, coalesce(last_error, '') AS error
    FROM outbox WHERE ${which}`;
  const rows = await database.transaction((tx) => tx.query<TroubledColumns>(read), {
    patient: true,
  });
  return rows.map(({ age_ms, set_aside, ...row }) => ({
    ...row,
    ageMs: age_ms,
    setAside: set_aside,
  }));
}

const HOLDS = sql`
  CASE WHEN jsonb_typeof(payload) = 'object' THEN coalesce((
    SELECT jsonb_object_agg(left(key, 50),
      CASE jsonb_typeof(value) WHEN 'array' THEN jsonb_array_length(value) END)
    FROM (SELECT key, value FROM jsonb_each(payload) LIMIT ${sql.raw(String(MAX_LISTS))}) lists
  ), '{}') ELSE '{}' END`;

async function retryRows(database: Database, target: RetryTarget): Promise<readonly number[]> {
  const which =
    target === "all"
      ? sql`set_aside_at IS NOT NULL OR attempts > 0`
      : sql`id = ANY(${bigints(target)})`;
  const [row] = await database.query<{ ids: number[] | null }>(sql`
    WITH retried AS (
      UPDATE outbox SET attempts = 0, next_attempt_at = NULL, set_aside_at = NULL
      WHERE ${which}
      RETURNING id)
    SELECT array_agg(id) AS ids, pg_notify(${OUTBOX_CHANNEL}, '')::text FROM retried`);
  return row?.ids ?? [];
}
