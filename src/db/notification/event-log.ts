/**
 * The log of each user's notifications; Redis caches its
 * tail.
 *
 * A writer first raises the sequence of a log. This locks the
 * log's row until the commit. So entries become visible in
 * the order of their sequences. No hole is left below a
 * visible one. Rows of several users are locked in the order
 * of their ids.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Delivery, NotificationEvent } from "../../domain/notification.js";
import type { Database, Tx } from "../client/database.js";
import type { Nullable, Row } from "../client/row.js";
import { bigints } from "../client/statements.js";
import type { notificationLogs, notificationReads, notifications } from "../schema/notification.js";
import { ALIVE, NOTIFICATION_COLUMNS, type NotificationRow, toNotification } from "./inbox.js";

export interface NotificationLogRead {
  /** Sequence of the log's last entry; 0 where there is none. */
  readonly last: number;
  /** In order. Sequences of expired notifications are missing. */
  readonly entries: readonly { readonly sequence: number; readonly event: NotificationEvent }[];
}

export interface MarkedRead {
  readonly ids: readonly number[];
  readonly upTo: number | null;
}

export interface NotificationLogTable {
  /**
   * Puts content into the inboxes of users, each once. Two
   * statements.
   */
  deliver(tx: Tx, contentId: number, userIds: readonly number[]): Promise<Delivery[]>;
  /**
   * Holds the log of a user until the commit. False where
   * nothing was ever sent to them.
   */
  hold(tx: Tx, userId: number): Promise<boolean>;
  /**
   * Adds an entry to a held log: `count` notifications were
   * marked. Resolves to its sequence and the unread ones
   * left.
   */
  addRead(
    tx: Tx,
    userId: number,
    marked: MarkedRead & { readonly count: number },
  ): Promise<{ sequence: number; unread: number }>;
  /** Up to `limit` entries after a sequence. One statement. */
  read(userId: number, after: number, limit: number): Promise<NotificationLogRead>;
  /** Sequence of the last entry; 0 where there is none. One statement. */
  last(userId: number): Promise<number>;
  /** Number of unread notifications. One statement. */
  unread(userId: number): Promise<number>;
}

/** Expired notifications count no more, though their rows remain. */
const expiredUnread = (userId: SQL): SQL => sql`(
  SELECT count(*) FROM notifications x
  WHERE x.user_id = ${userId} AND x.read_at IS NULL AND x.expires_at <= statement_timestamp())`;

type NotificationLogRow = Row<typeof notificationLogs>;

export function createNotificationLogTable(database: Database): NotificationLogTable {
  return {
    deliver: deliverToInboxes,
    async hold(tx, userId) {
      const rows = await tx.query(
        sql`SELECT FROM notification_logs WHERE user_id = ${userId}::bigint FOR UPDATE`,
      );
      return rows.length > 0;
    },
    addRead,
    async read(userId, after, limit) {
      const rows = await database.query<NotificationLogReadRow>(
        readStatement(userId, after, limit),
      );
      return {
        last: rows[0]?.last ?? 0,
        entries: rows.flatMap((row) => (row.at === null ? [] : [toNotificationLogEntry(row)])),
      };
    },
    async last(userId) {
      const [row] = await database.query<Pick<NotificationLogRow, "sequence">>(
        sql`SELECT sequence FROM notification_logs WHERE user_id = ${userId}::bigint`,
      );
      return row?.sequence ?? 0;
    },
    async unread(userId) {
      const [row] = await database.query<{ unread: number }>(sql`
        SELECT unread - ${expiredUnread(sql`l.user_id`)} AS unread
        FROM notification_logs l
        WHERE user_id = ${userId}::bigint`);
      return row?.unread ?? 0;
    },
  };
}

/**
 * The second statement counts expired ones, under the locks
 * of the first.
 */
async function deliverToInboxes(
  tx: Tx,
  contentId: number,
  userIds: readonly number[],
): Promise<Delivery[]> {
  const raised = await tx.query<NotificationLogRow>(sql`
    INSERT INTO notification_logs AS l (user_id, sequence, unread)
    SELECT u.id, 1, 1 FROM unnest(${bigints(userIds)}) AS u(id) ORDER BY u.id
    ON CONFLICT (user_id) DO UPDATE SET sequence = l.sequence + 1, unread = l.unread + 1
    RETURNING user_id, sequence, unread`);
  const [users, sequences, unread] = (["user_id", "sequence", "unread"] as const).map((name) =>
    bigints(raised.map((row) => row[name])),
  ) as [SQL, SQL, SQL];
  const rows = await tx.query<
    Row<typeof notifications, "id" | "user_id" | "sequence" | "unread">
  >(sql`
    INSERT INTO notifications (user_id, sequence, content_id, unread, expires_at, created_at)
    SELECT r.user_id, r.sequence, c.id, r.unread - ${expiredUnread(sql`r.user_id`)},
      c.expires_at, c.created_at
    FROM unnest(${users}, ${sequences}, ${unread}) AS r(user_id, sequence, unread),
      notification_contents c
    WHERE c.id = ${contentId}::bigint
    RETURNING id, user_id, sequence, unread`);
  return rows.map(({ id, user_id, ...row }) => ({ userId: user_id, id, ...row }));
}

async function addRead(
  tx: Tx,
  userId: number,
  { ids, upTo, count }: MarkedRead & { readonly count: number },
): Promise<{ sequence: number; unread: number }> {
  const [row] = await tx.query<Row<typeof notificationReads, "sequence" | "unread">>(sql`
    WITH raised AS (
      UPDATE notification_logs SET sequence = sequence + 1, unread = unread - ${count}::bigint
      WHERE user_id = ${userId}::bigint RETURNING user_id, sequence, unread)
    INSERT INTO notification_reads (user_id, sequence, ids, up_to, unread)
    SELECT r.user_id, r.sequence, ${bigints(ids)}, ${upTo}::bigint,
      r.unread - ${expiredUnread(sql`r.user_id`)}
    FROM raised r
    RETURNING sequence, unread`);
  if (!row) throw new Error("A log that is held has no row.");
  return row;
}

type DeliveredRow = NotificationRow & { readonly ids: null; readonly up_to: null };
type MarkedRow = Nullable<NotificationRow> & Row<typeof notificationReads, "ids" | "up_to">;
/** `at` is the sequence of the entry. */
type NotificationLogEntryRow = Pick<NotificationLogRow, "unread"> & { readonly at: number } & (
    | DeliveredRow
    | MarkedRow
  );
/** `last` is that of the log; without an entry the rest is null. */
type NotificationLogReadRow = { readonly last: number } & (
  | NotificationLogEntryRow
  | { readonly at: null }
);

/**
 * One statement, so that the end of the log and its entries
 * are consistent.
 */
const readStatement = (userId: number, after: number, limit: number): SQL => sql`
  SELECT l.sequence AS last, e.at, e.unread, e.ids, e.up_to, ${NOTIFICATION_COLUMNS}
  FROM notification_logs l
  LEFT JOIN LATERAL (
    (SELECT n.sequence AS at, n.unread, NULL::bigint[] AS ids, NULL::bigint AS up_to,
        n.id AS notification_id
      FROM notifications n
      WHERE n.user_id = l.user_id AND n.sequence > ${after}::bigint AND ${ALIVE}
      ORDER BY n.sequence LIMIT ${limit}::bigint)
    UNION ALL
    (SELECT r.sequence, r.unread, r.ids, r.up_to, NULL
      FROM notification_reads r
      WHERE r.user_id = l.user_id AND r.sequence > ${after}::bigint
      ORDER BY r.sequence LIMIT ${limit}::bigint)
    ORDER BY at LIMIT ${limit}::bigint) e ON true
  LEFT JOIN notifications n ON n.id = e.notification_id
  LEFT JOIN notification_contents c ON c.id = n.content_id
  WHERE l.user_id = ${userId}::bigint ORDER BY e.at`;

/** As of its commit; later entries hold what was read since. */
function toNotificationLogEntry(
  row: NotificationLogEntryRow,
): NotificationLogRead["entries"][number] {
  const { at: sequence, unread } = row;
  if (row.ids) return { sequence, event: { type: "read", ids: row.ids, upTo: row.up_to, unread } };
  const notification = { ...toNotification(row), readAt: null };
  return { sequence, event: { type: "delivered", notification, unread } };
}
