/**
 * The tables of notifications. Constraints of each table
 * allow one entry per sequence of a log. Another keeps the
 * `unread` of a log from being negative.
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

/** Contents of notifications: one row for any number of inboxes. */
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
 * The log of each user: `sequence` is that of its last entry.
 * `unread` includes expired ones whose rows remain. Writers
 * change this row first and hold it until the commit:
 * sequence is commit order.
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
 * The inboxes, whose rows are also entries of the logs.
 * `unread` includes this one.
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
    /** Copied from the content, for the index. */
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
 * The other entries of the logs: marks of what was read.
 * `up_to` is a sequence up to which everything is read.
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
 * Broadcasts on their way, in parts. Users up to `done_to`
 * have the notification; those up to `last_user` are next. A
 * finished part is deleted. Users who cannot get theirs yet
 * become a part of their own.
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
