/**
 * Notifications to everyone, on their way: which users have theirs already. How far a broadcast is commits together with the
 * notifications themselves, so whoever goes on after a crash sends each exactly once.
 */
import { sql } from "drizzle-orm";
import type { NotificationContent } from "../domain/notification.js";
import type { Executor, Tx } from "./database.js";
import { MAX_ERROR_LENGTH, MAX_RETRY_MS, type RetryOptions } from "./outbox.js";
import { storable } from "./statements.js";

/** Channel that is notified, with an empty payload, when a broadcast is committed. */
export const BROADCAST_CHANNEL = "souk_broadcast";

/** The next users of a broadcast, which is held until the commit. */
export interface BroadcastStep {
  readonly contentId: number;
  readonly content: NotificationContent;
  readonly createdAt: string;
  readonly userIds: readonly number[];
}

/** The broadcasts. */
export interface BroadcastTable {
  /** Begins a broadcast to the users there are, and wakes whoever works on them when `tx` commits. Resolves to how many they are. */
  begin(tx: Tx, contentId: number): Promise<number>;
  /** How many users there are. */
  users(tx: Tx): Promise<number>;
  /** Whether a broadcast, or any where none is named, has users left to send to. */
  isOpen(tx: Tx, contentId: number | null): Promise<boolean>;
  /** How many broadcasts have users left to send to, and the age of the oldest; 0 where there is none. */
  state(executor: Executor): Promise<{ readonly open: number; readonly oldestMs: number }>;
  /**
   * Up to `most` users who are next, of a broadcast that is due and that no other worker works on; no users when it is done. Null when
   * there is no broadcast.
   */
  next(tx: Tx, most: number): Promise<BroadcastStep | null>;
  /** The users of a step have theirs. */
  advance(tx: Tx, step: BroadcastStep): Promise<void>;
  /** Notes that a step failed, and leaves its users out; sets the broadcast aside when that happens again and again. */
  failed(tx: Tx, step: BroadcastStep, error: string, retry: RetryOptions): Promise<{ setAside: boolean }>;
}

interface BroadcastRow {
  readonly content_id: number;
  readonly done_to: number;
  readonly last_user: number;
  readonly kind: string;
  readonly title: string;
  readonly body: string;
  readonly url: string | null;
  readonly expires_at: Date | null;
  readonly created_at: Date;
  readonly expired: boolean;
}

/** The broadcasts of one database. */
export function createBroadcastTable(): BroadcastTable {
  return {
    async begin(tx, contentId) {
      const [row] = await tx.query<{ users: number }>(sql`
        WITH all_users AS (SELECT count(*) AS users, coalesce(max(id), 0) AS last FROM users), begun AS (
          INSERT INTO notification_broadcasts (content_id, last_user) SELECT ${contentId}::bigint, last FROM all_users)
        SELECT users, pg_notify(${BROADCAST_CHANNEL}, '')::text FROM all_users`);
      return row?.users ?? 0;
    },
    async users(tx) {
      const [row] = await tx.query<{ users: number }>(sql`SELECT count(*) AS users FROM users`);
      return row?.users ?? 0;
    },
    async isOpen(tx, contentId) {
      const rows = await tx.query(sql`
        SELECT FROM notification_broadcasts WHERE content_id = coalesce(${contentId}::bigint, content_id) LIMIT 1`);
      return rows.length > 0;
    },
    async state(executor) {
      const [row] = await executor.query<{ open: number; oldest_ms: number | null }>(sql`
        SELECT count(*) AS open, (extract(epoch FROM clock_timestamp() - min(c.created_at)) * 1000)::float8 AS oldest_ms
        FROM notification_broadcasts b JOIN notification_contents c ON c.id = b.content_id`);
      return { open: row?.open ?? 0, oldestMs: Math.max(0, row?.oldest_ms ?? 0) };
    },
    async next(tx, most) {
      const [row] = await tx.query<BroadcastRow>(sql`
        SELECT b.content_id, b.done_to, b.last_user, c.kind, c.title, c.body, c.url,
          CASE WHEN isfinite(c.expires_at) THEN c.expires_at END AS expires_at,
          CASE WHEN isfinite(c.created_at) THEN c.created_at ELSE statement_timestamp() END AS created_at,
          coalesce(c.expires_at <= statement_timestamp(), false) AS expired
        FROM notification_broadcasts b JOIN notification_contents c ON c.id = b.content_id
        WHERE b.set_aside_at IS NULL AND coalesce(b.next_attempt_at <= clock_timestamp(), true)
        ORDER BY b.content_id LIMIT 1 FOR UPDATE OF b SKIP LOCKED`);
      if (!row) return null;
      const users = row.expired ? [] : await usersAfter(tx, row, most);
      return { ...toStep(row), userIds: users };
    },
    async advance(tx, { contentId, userIds }) {
      const last = userIds.at(-1);
      await tx.query(
        last === undefined
          ? sql`DELETE FROM notification_broadcasts WHERE content_id = ${contentId}::bigint`
          : sql`UPDATE notification_broadcasts SET done_to = ${last}::bigint, attempts = 0 WHERE content_id = ${contentId}::bigint`,
      );
    },
    async failed(tx, { contentId, userIds }, error, { retryMs, attemptsMax }) {
      const [row] = await tx.query<{ set_aside: boolean }>(sql`
        UPDATE notification_broadcasts SET attempts = attempts + 1, last_error = ${storable(error.slice(0, MAX_ERROR_LENGTH))},
          done_to = greatest(done_to, ${userIds.at(-1) ?? 0}::bigint),
          next_attempt_at = clock_timestamp()
            + least(${retryMs}::float8 * power(2, least(attempts, 30)), ${MAX_RETRY_MS}::float8) * interval '1 millisecond',
          set_aside_at = CASE WHEN attempts + 1 >= ${attemptsMax}::bigint THEN clock_timestamp() END
        WHERE content_id = ${contentId}::bigint RETURNING set_aside_at IS NOT NULL AS set_aside`);
      return { setAside: row?.set_aside ?? false };
    },
  };
}

async function usersAfter(tx: Tx, { done_to, last_user }: BroadcastRow, most: number): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(
    sql`SELECT id FROM users WHERE id > ${done_to}::bigint AND id <= ${last_user}::bigint ORDER BY id LIMIT ${most}::bigint`,
  );
  return rows.map(({ id }) => id);
}

function toStep({ content_id, kind, title, body, url, expires_at, created_at }: BroadcastRow): Omit<BroadcastStep, "userIds"> {
  const content = { kind, title, body, url, expiresAt: expires_at?.toISOString() ?? null };
  return { contentId: content_id, content, createdAt: created_at.toISOString() };
}
