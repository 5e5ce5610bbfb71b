/**
 * Broadcasts for operators: which users lack their
 * notification, and what to do about it.
 */
import { sql } from "drizzle-orm";
import type { Database } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints } from "../client/statements.js";
import type { RetryTarget } from "../outbox-operating.js";
import type { notificationBroadcastParts, notificationContents } from "../schema/notification.js";
import { BROADCAST_CHANNEL } from "./broadcasts.js";

/** A part of a broadcast that was set aside, or fails. */
export interface TroubledBroadcast {
  readonly id: number;
  readonly contentId: number;
  readonly title: string;
  /** First and last of its users without the notification. */
  readonly users: readonly [number, number];
  readonly ageMs: number;
  readonly setAside: boolean;
  readonly attempts: number;
  readonly error: string;
}

export function createBroadcastOperating(database: Database) {
  return {
    /**
     * The first `limit` parts that were set aside or have
     * failed, in order. With an id, that part, failed or not.
     */
    async troubled({
      limit,
      id = null,
    }: {
      readonly limit: number;
      readonly id?: number | null;
    }): Promise<TroubledBroadcast[]> {
      const rows = await database.query<TroubledPart>(sql`
        SELECT b.id, b.content_id, c.title, b.done_to + 1 AS first_user, b.last_user,
          b.set_aside_at IS NOT NULL AS set_aside, b.attempts + b.waits AS attempts,
          (extract(epoch FROM clock_timestamp() - c.created_at) * 1000)::float8 AS age_ms,
          coalesce(b.last_error, '') AS error
        FROM notification_broadcast_parts b JOIN notification_contents c ON c.id = b.content_id
        WHERE CASE
          WHEN ${id}::bigint IS NULL THEN b.set_aside_at IS NOT NULL OR b.attempts + b.waits > 0
          ELSE b.id = ${id}::bigint END
        ORDER BY b.id LIMIT ${limit}::bigint`);
      return rows.map(toTroubled);
    },
    /**
     * Sends parts again, with all their attempts, and wakes
     * the workers. Resolves to their ids.
     */
    async retry(target: RetryTarget): Promise<readonly number[]> {
      const which =
        target === "all"
          ? sql`set_aside_at IS NOT NULL OR attempts + waits > 0`
          : sql`id = ANY(${bigints(target)})`;
      const [row] = await database.query<{ ids: number[] | null }>(sql`
        WITH again AS (
          UPDATE notification_broadcast_parts
          SET attempts = 0, waits = 0, next_attempt_at = NULL, set_aside_at = NULL
          WHERE ${which}
          RETURNING id)
        SELECT array_agg(id) AS ids, pg_notify(${BROADCAST_CHANNEL}, '')::text FROM again`);
      return row?.ids ?? [];
    },
    /**
     * Drops a part that was set aside. False when there is no
     * such part.
     */
    async drop(id: number): Promise<boolean> {
      const rows = await database.query(sql`
        DELETE FROM notification_broadcast_parts
        WHERE id = ${id}::bigint AND set_aside_at IS NOT NULL
        RETURNING id`);
      return rows.length > 0;
    },
  };
}

export type BroadcastOperating = ReturnType<typeof createBroadcastOperating>;

type TroubledPart = Row<
  typeof notificationBroadcastParts,
  "id" | "content_id" | "last_user" | "attempts"
> &
  Row<typeof notificationContents, "title"> & {
    readonly first_user: number;
    readonly set_aside: boolean;
    readonly age_ms: number;
    readonly error: string;
  };

const toTroubled = ({
  content_id,
  first_user,
  last_user,
  set_aside,
  age_ms,
  ...row
}: TroubledPart): TroubledBroadcast => ({
  ...row,
  contentId: content_id,
  users: [first_user, last_user],
  setAside: set_aside,
  ageMs: age_ms,
});
