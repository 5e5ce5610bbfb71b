/**
 * Notifications to everyone. The progress of a broadcast
 * commits together with its notifications. So after a crash
 * the next worker sends each exactly once. broadcast-steps.ts
 * holds the steps.
 */
import { sql } from "drizzle-orm";
import type { Executor, Tx } from "../client/database.js";
import { type BroadcastSteps, broadcastSteps } from "./broadcast-steps.js";

/**
 * Channel that is notified, with an empty payload, when a
 * broadcast is committed.
 */
export const BROADCAST_CHANNEL = "souk_broadcast";

export interface BroadcastState {
  /** Broadcasts with users left to send to. */
  readonly open: number;
  /** Parts that were set aside. */
  readonly setAside: number;
  /** Age of the oldest open one; 0 where there is none. */
  readonly oldestMs: number;
}

export interface BroadcastTable extends BroadcastSteps {
  /**
   * Begins a broadcast to all present users, and wakes the
   * workers when `tx` commits. Resolves to the number of
   * users.
   */
  begin(tx: Tx, contentId: number): Promise<number>;
  users(tx: Tx): Promise<number>;
  /** Whether a broadcast (null: any) has users left to send to. */
  isOpen(tx: Tx, contentId: number | null): Promise<boolean>;
  /** One statement. */
  state(executor: Executor): Promise<BroadcastState>;
}

export function createBroadcastTable(): BroadcastTable {
  return {
    ...broadcastSteps,
    async begin(tx, contentId) {
      const [row] = await tx.query<{ users: number }>(sql`
        WITH all_users AS (
          SELECT count(*) AS users, coalesce(max(id), 0) AS last FROM users
        ), begun AS (
          INSERT INTO notification_broadcast_parts (content_id, last_user)
          SELECT ${contentId}::bigint, last FROM all_users)
        SELECT users, pg_notify(${BROADCAST_CHANNEL}, '')::text FROM all_users`);
      return row?.users ?? 0;
    },
    async users(tx) {
      const [row] = await tx.query<{ users: number }>(sql`SELECT count(*) AS users FROM users`);
      return row?.users ?? 0;
    },
    async isOpen(tx, contentId) {
      const rows = await tx.query(sql`
        SELECT FROM notification_broadcast_parts
        WHERE content_id = coalesce(${contentId}::bigint, content_id)
        LIMIT 1`);
      return rows.length > 0;
    },
    async state(executor) {
      const [row] = await executor.query<{
        open: number;
        set_aside: number;
        oldest_ms: number | null;
      }>(sql`
        SELECT count(DISTINCT content_id) FILTER (WHERE set_aside_at IS NULL) AS open,
          count(set_aside_at) AS set_aside,
          (extract(
            epoch FROM clock_timestamp() - min(c.created_at) FILTER (WHERE set_aside_at IS NULL)
          ) * 1000)::float8 AS oldest_ms
        FROM notification_broadcast_parts b JOIN notification_contents c ON c.id = b.content_id`);
      return {
        open: row?.open ?? 0,
        setAside: row?.set_aside ?? 0,
        oldestMs: Math.max(0, row?.oldest_ms ?? 0),
      };
    },
  };
}
