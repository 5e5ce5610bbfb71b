/**
 * The inboxes, newest first. Expired notifications are
 * invisible at once and pruned later. Changes of an inbox
 * also add to its log: see log.ts.
 */
import { sql } from "drizzle-orm";
import type {
  InboxListing,
  NotificationContent,
  NotificationRecord,
} from "../../domain/notification.js";
import type { PageRequest } from "../../domain/page.js";
import type { Database, Tx } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints } from "../client/statements.js";
import type { users } from "../schema/account.js";
import type { notificationContents, notifications } from "../schema/notification.js";

export interface NotificationTable {
  /** Writes the content. Resolves to its id and time. */
  write(tx: Tx, content: NotificationContent): Promise<{ id: number; createdAt: string }>;
  /**
   * The notifications with these ids, in any order; expired
   * and missing ones absent.
   */
  byIds(ids: readonly number[]): Promise<NotificationRecord[]>;
  /**
   * A page of an inbox; positions are sequences. One
   * statement, which reads one more than the page.
   */
  page(
    listing: InboxListing,
    page: PageRequest,
  ): Promise<{ rows: NotificationRecord[]; hasNextPage: boolean }>;
  /** Length of the list. One statement. */
  count(listing: InboxListing): Promise<number>;
  /** Which of these users exist. */
  usersAmong(tx: Tx, ids: readonly number[]): Promise<number[]>;
  /**
   * Marks unread ones among `ids` in the inbox of a user
   * whose log is held. Resolves to those that were unread.
   */
  markRead(tx: Tx, userId: number, ids: readonly number[]): Promise<number[]>;
  /**
   * Marks unread ones up to a sequence, where the log is
   * held. Resolves to their number, and the sequence of the
   * newest.
   */
  markReadTo(
    tx: Tx,
    userId: number,
    upTo: number,
  ): Promise<{ count: number; newest: number | null }>;
  /**
   * Deletes what has expired. Resolves to the number of
   * notifications.
   */
  prune(): Promise<number>;
}

/** A row as {@link NOTIFICATION_COLUMNS} selects it. */
export type NotificationRow = Row<
  typeof notifications,
  "id" | "user_id" | "sequence" | "expires_at" | "created_at" | "read_at"
> &
  Row<typeof notificationContents, "kind" | "title" | "body" | "url">;

/** Columns of a notification `n` with its content `c`. */
export const NOTIFICATION_COLUMNS = sql.raw(
  "n.id, n.user_id, n.sequence, c.kind, c.title, c.body, c.url, n.expires_at, n.created_at, " +
    "n.read_at",
);
/** Holds for a notification `n` that has not expired. */
export const ALIVE = sql.raw("(n.expires_at IS NULL OR n.expires_at > statement_timestamp())");

const FROM = sql.raw("FROM notifications n JOIN notification_contents c ON c.id = n.content_id");
/** Bounds a transaction of pruning: it locks as many users at most. */
const PRUNED_AT_ONCE = 500;

export function createNotificationTable(database: Database): NotificationTable {
  return {
    write: writeContent,
    async byIds(ids) {
      if (ids.length === 0) return [];
      const rows = await database.query<NotificationRow>(
        sql`SELECT ${NOTIFICATION_COLUMNS} ${FROM} WHERE n.id = ANY(${bigints(ids)}) AND ${ALIVE}`,
      );
      return rows.map(toNotification);
    },
    async page(listing, { limit, after }) {
      const rows = await database.query<NotificationRow>(sql`
        SELECT ${NOTIFICATION_COLUMNS} ${FROM}
        WHERE ${listed(listing)} AND n.sequence < ${after?.id ?? Number.MAX_SAFE_INTEGER}::bigint
        ORDER BY n.sequence DESC LIMIT ${limit + 1}::bigint`);
      return { rows: rows.slice(0, limit).map(toNotification), hasNextPage: rows.length > limit };
    },
    async count(listing) {
      const [row] = await database.query<{ count: number }>(
        sql`SELECT count(*) AS count FROM notifications n WHERE ${listed(listing)}`,
      );
      return row?.count ?? 0;
    },
    async usersAmong(tx, ids) {
      const rows = await tx.query<Row<typeof users, "id">>(
        sql`SELECT id FROM users WHERE id = ANY(${bigints(ids)})`,
      );
      return rows.map(({ id }) => id);
    },
    async markRead(tx, userId, ids) {
      const rows = await tx.query<Pick<NotificationRow, "id">>(sql`
        UPDATE notifications n SET read_at = statement_timestamp()
        WHERE n.user_id = ${userId}::bigint AND n.id = ANY(${bigints(ids)})
          AND n.read_at IS NULL AND ${ALIVE}
        RETURNING n.id`);
      return rows.map(({ id }) => id);
    },
    async markReadTo(tx, userId, upTo) {
      const [row] = await tx.query<{ count: number; newest: number | null }>(sql`
        WITH marked AS (
          UPDATE notifications n SET read_at = statement_timestamp()
          WHERE n.user_id = ${userId}::bigint AND n.sequence <= ${upTo}::bigint
            AND n.read_at IS NULL AND ${ALIVE}
          RETURNING n.sequence)
        SELECT count(*) AS count, max(sequence) AS newest FROM marked`);
      return row ?? { count: 0, newest: null };
    },
    prune: () => prune(database),
  };
}

const listed = ({ userId, unreadOnly }: InboxListing) => sql`
  n.user_id = ${userId}::bigint AND ${ALIVE} ${unreadOnly ? sql`AND n.read_at IS NULL` : sql``}`;

async function writeContent(
  tx: Tx,
  { kind, title, body, url, expiresAt }: NotificationContent,
): Promise<{ id: number; createdAt: string }> {
  const [row] = await tx.query<Row<typeof notificationContents, "id" | "created_at">>(sql`
    INSERT INTO notification_contents (kind, title, body, url, expires_at)
    VALUES (${kind}, ${title}, ${body}, ${url}, ${expiresAt}::timestamptz)
    RETURNING id, created_at`);
  if (!row) throw new Error("INSERT … RETURNING answered no row.");
  return { id: row.id, createdAt: row.created_at.toISOString() };
}

async function prune(database: Database): Promise<number> {
  let [pruned, some] = [0, 0];
  do {
    some = await database.transaction(pruneSome);
    pruned += some;
  } while (some > 0);
  await database.query(sql`
    DELETE FROM notification_contents c
    WHERE c.expires_at <= statement_timestamp() - interval '1 minute'
      AND NOT EXISTS (SELECT FROM notifications n WHERE n.content_id = c.id)
      AND NOT EXISTS (SELECT FROM notification_broadcast_parts b WHERE b.content_id = c.id)`);
  return pruned;
}

/** Logs are locked first, as in every change of an inbox. */
async function pruneSome(tx: Tx): Promise<number> {
  const expired = await tx.query<Pick<NotificationRow, "id" | "user_id">>(sql`
    SELECT id, user_id FROM notifications
    WHERE expires_at <= statement_timestamp()
    ORDER BY expires_at LIMIT ${PRUNED_AT_ONCE}::bigint`);
  if (expired.length === 0) return 0;
  const users = bigints([...new Set(expired.map(({ user_id }) => user_id))]);
  await tx.query(
    sql`SELECT FROM notification_logs WHERE user_id = ANY(${users}) ORDER BY user_id FOR UPDATE`,
  );
  await tx.query(sql`
    WITH gone AS (
      DELETE FROM notifications WHERE id = ANY(${bigints(expired.map(({ id }) => id))})
      RETURNING user_id, read_at)
    UPDATE notification_logs l SET unread = l.unread - g.unread
    FROM (SELECT user_id, count(*) AS unread FROM gone WHERE read_at IS NULL GROUP BY user_id) g
    WHERE l.user_id = g.user_id`);
  return expired.length;
}

export function toNotification({
  id,
  sequence,
  kind,
  title,
  body,
  url,
  ...row
}: NotificationRow): NotificationRecord {
  const [expiresAt, readAt] = [row.expires_at, row.read_at].map(
    (moment) => moment?.toISOString() ?? null,
  ) as [string | null, string | null];
  return {
    id,
    userId: row.user_id,
    sequence,
    kind,
    title,
    body,
    url,
    expiresAt,
    readAt,
    createdAt: row.created_at.toISOString(),
  };
}
