/**
 * The tables of notifications. What the database itself guarantees: one entry per sequence of a
 * log, and never fewer than no unread ones.
 */
import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { NOTIFICATION_LIMITS } from "../../domain/notification.js";
import { users } from "./account.js";
import { attempts, identity, lengthBetween, moment } from "./columns.js";

/** What notifications say: once, however many inboxes it is in. */
export const notificationContents = pgTable(
  "notification_contents",
  {
    id: identity(),
    kind: text().notNull(),
    title: text().notNull(),
    body: text().notNull(),
    url: text(),
    expiresAt: timestamp("expires_at", { withTimezone: true, precision: 3 }),
    createdAt: moment("created_at"),
  },
  (t) => [
    index("notification_contents_expires_at").on(t.expiresAt),
    check("notification_contents_kind_length", lengthBetween(t.kind, 1, NOTIFICATION_LIMITS.kind)),
    check(
      "notification_contents_title_length",
      lengthBetween(t.title, 1, NOTIFICATION_LIMITS.title),
    ),
    check("notification_contents_body_length", lengthBetween(t.body, 0, NOTIFICATION_LIMITS.body)),
  ],
);

/**
 * The log of each user: `sequence` is that of its last entry, `unread` how many notifications are
 * not read, expired ones that are still there included. Whoever adds to a log changes this row
 * first and so holds it until the commit: sequence is commit order.
 */
export const notificationLogs = pgTable(
  "notification_logs",
  {
    userId: bigint("user_id", { mode: "number" })
      .primaryKey()
      .references(() => users.id),
    sequence: bigint({ mode: "number" }).notNull(),
    unread: bigint({ mode: "number" }).notNull(),
  },
  () => [check("notification_logs_unread", sql.raw("unread >= 0"))],
);

/**
 * The inboxes, and at the same time entries of the logs; `unread` is how many there were with this
 * one.
 */
export const notifications = pgTable(
  "notifications",
  {
    id: identity(),
    userId: bigint("user_id", { mode: "number" })
      .notNull()
      .references(() => users.id),
    sequence: bigint({ mode: "number" }).notNull(),
    contentId: bigint("content_id", { mode: "number" })
      .notNull()
      .references(() => notificationContents.id),
    unread: bigint({ mode: "number" }).notNull(),
    /** That of the content, to be found by. */
    expiresAt: timestamp("expires_at", { withTimezone: true, precision: 3 }),
    createdAt: moment("created_at"),
    readAt: timestamp("read_at", { withTimezone: true, precision: 3 }),
  },
  (t) => [
    uniqueIndex("notifications_log").on(t.userId, t.sequence),
    index("notifications_unread").on(t.userId, t.sequence).where(sql.raw("read_at is null")),
    index("notifications_expiring_unread")
      .on(t.userId, t.expiresAt)
      .where(sql.raw("read_at is null and expires_at is not null")),
    index("notifications_expires_at").on(t.expiresAt).where(sql.raw("expires_at is not null")),
    index("notifications_content").on(t.contentId),
  ],
);

/**
 * The other entries of the logs: what was marked as read. `up_to` is a sequence, where everything
 * up to it is read.
 */
export const notificationReads = pgTable(
  "notification_reads",
  {
    userId: bigint("user_id", { mode: "number" })
      .notNull()
      .references(() => users.id),
    sequence: bigint({ mode: "number" }).notNull(),
    ids: bigint({ mode: "number" }).array().notNull(),
    upTo: bigint("up_to", { mode: "number" }),
    unread: bigint({ mode: "number" }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.sequence] })],
);

/**
 * Notifications to everyone on their way, in parts: users up to `done_to` have theirs, those up to
 * `last_user` are to get it. A part leaves when it is done. Users who cannot get theirs yet become
 * a part that is tried for itself, and the others go on.
 */
export const notificationBroadcastParts = pgTable(
  "notification_broadcast_parts",
  {
    id: identity(),
    contentId: bigint("content_id", { mode: "number" })
      .notNull()
      .references(() => notificationContents.id),
    doneTo: bigint("done_to", { mode: "number" }).notNull().default(0),
    lastUser: bigint("last_user", { mode: "number" }).notNull(),
    ...attempts,
    /** How often in a row other sessions held the users. */
    waits: integer().notNull().default(0),
  },
  (t) => [index("notification_broadcast_parts_content").on(t.contentId)],
);
