/**
 * The steps of broadcasts. A step takes the next users of a
 * part and locks the part until commit. Users who cannot be
 * sent theirs become a part of their own; the others go on.
 */
import { type SQL, sql } from "drizzle-orm";
import type { NotificationContent } from "../../domain/notification.js";
import type { Tx } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints, storable } from "../client/statements.js";
import { MAX_ERROR_LENGTH, MAX_ROW_RETRY_MS, type RetryOptions } from "../outbox.js";
import type { users } from "../schema/account.js";
import type {
  notificationBroadcastParts,
  notificationContents,
  notificationLogs,
} from "../schema/notification.js";

/** The next users of a part, which is held until the commit. */
export interface BroadcastStep {
  /** Of the part. */
  readonly id: number;
  readonly contentId: number;
  readonly content: NotificationContent;
  readonly createdAt: string;
  /** Users whose inboxes are locked for this step. */
  readonly userIds: readonly number[];
  /** Users between them whose inboxes another session holds. */
  readonly held: readonly number[];
  /**
   * State of the part before the step. A failure is recorded
   * only while it is unchanged.
   */
  readonly found: {
    readonly doneTo: number;
    readonly lastUser: number;
    readonly attempts: number;
    readonly waits: number;
  };
}

export interface BroadcastSteps {
  /**
   * Up to `limit` next users of a part that is due and free.
   * No users: the part is done. Null: no part is due.
   * Broadcasts take turns. Later statements of `tx` wait
   * {@link LOCK_MS} for a lock at most.
   */
  next(tx: Tx, limit: number): Promise<BroadcastStep | null>;
  /**
   * Users of a step have theirs. Held users become parts of
   * their own; the part goes on behind them.
   */
  advance(tx: Tx, step: BroadcastStep, retry: RetryOptions): Promise<void>;
  /**
   * Another session holds what the step needs: the part is
   * tried again, with backoff, without limit.
   */
  pause(tx: Tx, step: BroadcastStep, error: string, retry: RetryOptions): Promise<void>;
  /**
   * Records the failure of a step of one user, or of none.
   * The user is tried again alone, with backoff, and the part
   * goes on. Both are set aside after too many failures.
   * Resolves to whether one was.
   */
  failed(
    tx: Tx,
    step: BroadcastStep,
    error: string,
    retry: RetryOptions,
  ): Promise<{ setAside: boolean }>;
}

/**
 * Longest wait for a lock, in ms. A longer hold is a session
 * that hangs, or long work on the table.
 */
const LOCK_MS = 250;

type BroadcastRow = Row<
  typeof notificationBroadcastParts,
  "id" | "content_id" | "done_to" | "last_user" | "attempts" | "waits"
> &
  Row<
    typeof notificationContents,
    "kind" | "title" | "body" | "url" | "expires_at" | "created_at"
  > & { readonly expired: boolean };

async function next(tx: Tx, limit: number): Promise<BroadcastStep | null> {
  await tx.query(sql.raw(`SET LOCAL lock_timeout = ${LOCK_MS}`));
  const [row] = await tx.query<BroadcastRow>(sql`
    SELECT b.id, b.content_id, b.done_to, b.last_user, b.attempts, b.waits,
      c.kind, c.title, c.body, c.url,
      CASE WHEN isfinite(c.expires_at) THEN c.expires_at END AS expires_at,
      CASE WHEN isfinite(c.created_at) THEN c.created_at ELSE statement_timestamp() END
        AS created_at,
      coalesce(c.expires_at <= statement_timestamp(), false) AS expired
    FROM notification_broadcast_parts b JOIN notification_contents c ON c.id = b.content_id
    WHERE coalesce(b.next_attempt_at <= clock_timestamp(), true)
      AND (b.set_aside_at IS NULL OR c.expires_at <= statement_timestamp())
    ORDER BY b.next_attempt_at NULLS FIRST, b.id LIMIT 1
    FOR UPDATE OF b SKIP LOCKED`);
  if (!row) return null;
  const users = row.expired ? [] : await usersAfter(tx, row, limit);
  const free = await freeAmong(tx, users);
  return { ...toStep(row), userIds: free, held: users.filter((id) => !free.includes(id)) };
}

async function pause(
  tx: Tx,
  step: BroadcastStep,
  error: string,
  retry: RetryOptions,
): Promise<void> {
  await tx.query(sql`
    UPDATE notification_broadcast_parts b
    SET waits = b.waits + 1, last_error = ${storableError(error)},
      next_attempt_at = ${afterBackoff(retry)}
    WHERE ${isAsFound(step)}`);
}

/**
 * Parts take turns by the time of their last step. So a long
 * broadcast delays another by at most one step.
 */
async function advancePart(tx: Tx, step: BroadcastStep, retry: RetryOptions): Promise<void> {
  const { id, userIds, found } = step;
  const last = lastOf(step);
  if (last === null) {
    await tx.query(sql`DELETE FROM notification_broadcast_parts WHERE id = ${id}::bigint`);
    return;
  }
  if (userIds.length === 0 && last >= found.lastUser) {
    await pause(tx, step, HELD, retry);
    return;
  }
  const runs = runsOf(step);
  await tx.query(sql`
    WITH parts AS (
      INSERT INTO notification_broadcast_parts
        (content_id, done_to, last_user, waits, last_error, next_attempt_at)
      SELECT b.content_id, q.done_to, q.last_user, b.waits + 1, ${HELD}, ${afterBackoff(retry)}
      FROM notification_broadcast_parts b,
        unnest(${bigints(runs.map(([doneTo]) => doneTo))}, ${bigints(runs.map(([, to]) => to))})
          AS q(done_to, last_user)
      WHERE b.id = ${id}::bigint)
    UPDATE notification_broadcast_parts
    SET done_to = ${last}::bigint, attempts = 0, waits = 0, last_error = NULL,
      next_attempt_at = clock_timestamp()
    WHERE id = ${id}::bigint`);
}

const HELD = "Another session holds the inbox.";

/**
 * The part goes on behind this user, who becomes a part of
 * their own. Failures in a row set the part aside as well. So
 * a content that no inbox takes makes no more parts than
 * there are attempts.
 */
async function noteFailure(
  tx: Tx,
  step: BroadcastStep,
  error: string,
  { retryMs, attemptsMax }: RetryOptions,
): Promise<{ setAside: boolean }> {
  const last = lastOf(step);
  const goesOn = last !== null && last < step.found.lastUser;
  const [user, words, max] = [
    sql`${last ?? 0}::bigint`,
    storableError(error),
    sql`${attemptsMax}::bigint`,
  ];
  const rows = await tx.query<{ set_aside: boolean }>(sql`
    WITH part AS (
      SELECT b.id, b.content_id FROM notification_broadcast_parts b
      WHERE ${isAsFound(step)}
      FOR UPDATE),
    own AS (
      INSERT INTO notification_broadcast_parts
        (content_id, done_to, last_user, attempts, last_error, next_attempt_at, set_aside_at)
      SELECT content_id, ${user} - 1, ${user}, 1, ${words},
        clock_timestamp() + ${retryMs}::float8 * interval '1 millisecond',
        CASE WHEN ${max} <= 1 THEN clock_timestamp() END
      FROM part
      WHERE ${goesOn}::boolean
      RETURNING set_aside_at),
    noted AS (
      UPDATE notification_broadcast_parts b
      SET done_to = CASE WHEN ${goesOn}::boolean THEN ${user} ELSE b.done_to END,
        attempts = b.attempts + 1, last_error = ${words},
        next_attempt_at = ${afterBackoff({ retryMs, attemptsMax })},
        set_aside_at = CASE
          WHEN b.attempts + 1 >= ${max} THEN coalesce(b.set_aside_at, clock_timestamp()) END
      FROM part p
      WHERE b.id = p.id
      RETURNING b.set_aside_at)
    SELECT bool_or(set_aside_at IS NOT NULL) AS set_aside
    FROM (SELECT * FROM own UNION ALL SELECT * FROM noted) AS outcomes`);
  return { setAside: rows[0]?.set_aside ?? false };
}

/**
 * Holds for the part `b` unless a worker or an operator has
 * changed it meanwhile.
 */
const isAsFound = ({
  id,
  found,
}: BroadcastStep): SQL => sql`b.id = ${id}::bigint AND b.done_to = ${found.doneTo}::bigint
  AND b.attempts = ${found.attempts}::bigint AND b.waits = ${found.waits}::bigint`;

/** When a part `b` that failed is due again. */
const afterBackoff = ({ retryMs }: RetryOptions): SQL => sql`clock_timestamp()
  + least(
      ${retryMs}::float8 * power(2, least(b.attempts + b.waits, 30)), ${MAX_ROW_RETRY_MS}::float8)
    * interval '1 millisecond'`;

const storableError = (error: string): string => storable(error.slice(0, MAX_ERROR_LENGTH));

/** The last user of a step; null where there was none left. */
const lastOf = ({ userIds, held }: BroadcastStep): number | null =>
  userIds.length + held.length === 0 ? null : Math.max(userIds.at(-1) ?? 0, held.at(-1) ?? 0);

/** Adjacent held users are one part: `[the user before, the last]`. */
function runsOf({ userIds, held, found }: BroadcastStep): [number, number][] {
  const isHeld = new Set(held);
  const runs: [number, number][] = [];
  let before = found.doneTo;
  let run: [number, number] | null = null;
  for (const id of [...userIds, ...held].sort((a, b) => a - b)) {
    if (!isHeld.has(id)) run = null;
    else if (run) run[1] = id;
    else {
      run = [before, id];
      runs.push(run);
    }
    before = id;
  }
  return runs;
}

async function usersAfter(
  tx: Tx,
  { done_to, last_user }: BroadcastRow,
  limit: number,
): Promise<number[]> {
  const rows = await tx.query<Row<typeof users, "id">>(sql`
    SELECT id FROM users
    WHERE id > ${done_to}::bigint AND id <= ${last_user}::bigint
    ORDER BY id LIMIT ${limit}::bigint`);
  return rows.map(({ id }) => id);
}

/** Users that no other session holds; this transaction holds them now. */
async function freeAmong(tx: Tx, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const some = bigints(ids);
  const present = await tx.query<Row<typeof users, "id">>(
    sql`SELECT id FROM users WHERE id = ANY(${some}) ORDER BY id FOR KEY SHARE SKIP LOCKED`,
  );
  const held = await tx.query<Row<typeof notificationLogs, "user_id">>(sql`
    WITH free AS (
      SELECT user_id FROM notification_logs
      WHERE user_id = ANY(${some})
      ORDER BY user_id FOR UPDATE SKIP LOCKED)
    SELECT user_id FROM notification_logs
    WHERE user_id = ANY(${some}) AND user_id NOT IN (SELECT user_id FROM free)`);
  const isHeld = new Set(held.map(({ user_id }) => user_id));
  return present.flatMap(({ id }) => (isHeld.has(id) ? [] : [id]));
}

function toStep(row: BroadcastRow): Omit<BroadcastStep, "userIds" | "held"> {
  const { id, content_id, kind, title, body, url, expires_at, created_at } = row;
  const found = {
    doneTo: row.done_to,
    lastUser: row.last_user,
    attempts: row.attempts,
    waits: row.waits,
  };
  const content = { kind, title, body, url, expiresAt: expires_at?.toISOString() ?? null };
  return { id, contentId: content_id, content, createdAt: created_at.toISOString(), found };
}

export const broadcastSteps: BroadcastSteps = {
  next,
  advance: advancePart,
  pause,
  failed: noteFailure,
};
