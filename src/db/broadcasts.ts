/**
 * Notifications to everyone, on their way: which users have theirs already. How far a broadcast is commits together with the
 * notifications themselves, so whoever goes on after a crash sends each exactly once. A user whose notification fails becomes a part
 * of the broadcast that is tried for itself, and the others go on.
 */
import { type SQL, sql } from "drizzle-orm";
import type { NotificationContent } from "../domain/notification.js";
import type { Executor, Tx } from "./database.js";
import { MAX_ERROR_LENGTH, MAX_RETRY_MS, type RetryOptions } from "./outbox.js";
import { storable } from "./statements.js";

/** Channel that is notified, with an empty payload, when a broadcast is committed. */
export const BROADCAST_CHANNEL = "souk_broadcast";

/** The next users of a part of a broadcast, which is held until the commit. */
export interface BroadcastStep {
  /** Of the part. */
  readonly id: number;
  readonly contentId: number;
  readonly content: NotificationContent;
  readonly createdAt: string;
  readonly userIds: readonly number[];
}

/** Why the only user of a step could not be sent their notification. */
export interface StepFailure {
  readonly error: string;
  /** Another session holds the user's inbox for now: neither the broadcast nor the user is given up for it. */
  readonly isLocked: boolean;
}

/** How the broadcasts are. */
export interface BroadcastState {
  /** Those with users left to send to. */
  readonly open: number;
  /** Parts that were given up. */
  readonly setAside: number;
  /** Age of the oldest open one; 0 where there is none. */
  readonly oldestMs: number;
}

/** The broadcasts. */
export interface BroadcastTable {
  /** Begins a broadcast to the users there are, and wakes whoever works on them when `tx` commits. Resolves to how many they are. */
  begin(tx: Tx, contentId: number): Promise<number>;
  /** How many users there are. */
  users(tx: Tx): Promise<number>;
  /** Whether a broadcast, or any where none is named, has users left to send to. */
  isOpen(tx: Tx, contentId: number | null): Promise<boolean>;
  /** One statement. */
  state(executor: Executor): Promise<BroadcastState>;
  /**
   * Up to `most` users who are next, of a part that is due and that no other worker works on; no users when it is done. Null when
   * there is none. What `tx` does next waits {@link LOCK_MS} for a lock at most.
   */
  next(tx: Tx, most: number): Promise<BroadcastStep | null>;
  /** The users of a step have theirs. */
  advance(tx: Tx, step: BroadcastStep): Promise<void>;
  /**
   * Notes that a step of one user failed: that user is tried again for themselves, with backoff, and the part goes on. Either is set
   * aside when that happens again and again. Resolves to whether one was.
   */
  failed(tx: Tx, step: BroadcastStep, failure: StepFailure, retry: RetryOptions): Promise<{ setAside: boolean }>;
}

/** Inboxes are held for milliseconds; a session that holds one for longer is not waited for. In ms. */
const LOCK_MS = 250;

interface BroadcastRow {
  readonly id: number;
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
      const [row] = await executor.query<{ open: number; set_aside: number; oldest_ms: number | null }>(sql`
        SELECT count(DISTINCT content_id) FILTER (WHERE set_aside_at IS NULL) AS open, count(set_aside_at) AS set_aside,
          (extract(epoch FROM clock_timestamp() - min(c.created_at) FILTER (WHERE set_aside_at IS NULL)) * 1000)::float8 AS oldest_ms
        FROM notification_broadcasts b JOIN notification_contents c ON c.id = b.content_id`);
      return { open: row?.open ?? 0, setAside: row?.set_aside ?? 0, oldestMs: Math.max(0, row?.oldest_ms ?? 0) };
    },
    async next(tx, most) {
      await tx.query(sql.raw(`SET LOCAL lock_timeout = ${LOCK_MS}`));
      const [row] = await tx.query<BroadcastRow>(sql`
        SELECT b.id, b.content_id, b.done_to, b.last_user, c.kind, c.title, c.body, c.url,
          CASE WHEN isfinite(c.expires_at) THEN c.expires_at END AS expires_at,
          CASE WHEN isfinite(c.created_at) THEN c.created_at ELSE statement_timestamp() END AS created_at,
          coalesce(c.expires_at <= statement_timestamp(), false) AS expired
        FROM notification_broadcasts b JOIN notification_contents c ON c.id = b.content_id
        WHERE b.set_aside_at IS NULL AND coalesce(b.next_attempt_at <= clock_timestamp(), true)
        ORDER BY b.id LIMIT 1 FOR UPDATE OF b SKIP LOCKED`);
      if (!row) return null;
      const users = row.expired ? [] : await usersAfter(tx, row, most);
      return { ...toStep(row), userIds: users };
    },
    async advance(tx, { id, userIds }) {
      const last = userIds.at(-1);
      await tx.query(
        last === undefined
          ? sql`DELETE FROM notification_broadcasts WHERE id = ${id}::bigint`
          : sql`UPDATE notification_broadcasts SET done_to = ${last}::bigint, attempts = 0 WHERE id = ${id}::bigint`,
      );
    },
    failed: noteFailure,
  };
}

/**
 * A part that has other users left goes on behind this one, who becomes a part of their own. Failures in a row set the part aside as
 * well: a content that no inbox takes makes no more parts than there are attempts. Nothing is noted where another worker has come to
 * this user meanwhile.
 */
async function noteFailure(
  tx: Tx,
  { id, userIds }: BroadcastStep,
  { error, isLocked }: StepFailure,
  { retryMs, attemptsMax }: RetryOptions,
): Promise<{ setAside: boolean }> {
  const [user, words] = [sql`${userIds[0] ?? 0}::bigint`, storable(error.slice(0, MAX_ERROR_LENGTH))];
  const after = (attempts: SQL): SQL => sql`clock_timestamp()
    + least(${retryMs}::float8 * power(2, least(${attempts}, 30)), ${MAX_RETRY_MS}::float8) * interval '1 millisecond'`;
  const isGivenUp = sql`NOT ${isLocked}::boolean AND b.attempts + 1 >= ${attemptsMax}::bigint`;
  const rows = await tx.query<{ set_aside: boolean }>(sql`
    WITH part AS (
      SELECT id, content_id, last_user > ${user} AS goes_on FROM notification_broadcasts
      WHERE id = ${id}::bigint AND done_to < ${user} FOR UPDATE),
    own AS (
      INSERT INTO notification_broadcasts (content_id, done_to, last_user, attempts, last_error, next_attempt_at, set_aside_at)
      SELECT content_id, ${user} - 1, ${user}, 1, ${words}, ${after(sql`0`)},
        CASE WHEN NOT ${isLocked}::boolean AND ${attemptsMax}::bigint <= 1 THEN clock_timestamp() END
      FROM part WHERE goes_on RETURNING set_aside_at),
    noted AS (
      UPDATE notification_broadcasts b SET
        done_to = CASE WHEN p.goes_on THEN ${user} ELSE b.done_to END,
        attempts = CASE WHEN p.goes_on AND ${isLocked}::boolean THEN b.attempts ELSE b.attempts + 1 END,
        last_error = ${words},
        next_attempt_at = CASE WHEN p.goes_on AND ${isLocked}::boolean THEN NULL ELSE ${after(sql`b.attempts`)} END,
        set_aside_at = CASE WHEN ${isGivenUp} THEN clock_timestamp() END
      FROM part p WHERE b.id = p.id RETURNING b.set_aside_at)
    SELECT bool_or(set_aside_at IS NOT NULL) AS set_aside FROM (SELECT * FROM own UNION ALL SELECT * FROM noted) AS told`);
  return { setAside: rows[0]?.set_aside ?? false };
}

async function usersAfter(tx: Tx, { done_to, last_user }: BroadcastRow, most: number): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(
    sql`SELECT id FROM users WHERE id > ${done_to}::bigint AND id <= ${last_user}::bigint ORDER BY id LIMIT ${most}::bigint`,
  );
  return rows.map(({ id }) => id);
}

function toStep({ id, content_id, kind, title, body, url, expires_at, created_at }: BroadcastRow): Omit<BroadcastStep, "userIds"> {
  const content = { kind, title, body, url, expiresAt: expires_at?.toISOString() ?? null };
  return { id, contentId: content_id, content, createdAt: created_at.toISOString() };
}
