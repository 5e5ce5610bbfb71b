/**
 * Notifications in the outbox: committed with the
 * inbox, appended to the logs of users in Redis.
 */
import { z } from "zod";
import type { OutboxEntry } from "../../domain/events/outbox.js";
import type { NotificationAppend } from "../../domain/notification.js";
import { mostTelling } from "../failures.js";
import type { OutboxKind, OutboxKindSpec } from "../outbox/kind.js";
import type { ApplyNotifications } from "./event-log.js";

const NOTIFICATION_KIND = "notification";

/** Ordered by user. */
export function notificationEntry(append: NotificationAppend): OutboxEntry {
  const users = append.type === "read" ? [append.userId] : append.to.map(({ userId }) => userId);
  return {
    kind: NOTIFICATION_KIND,
    keys: [...new Set(users)].map((userId) => `user:${userId}`),
    payload: { notifications: [append] },
  };
}

type AppendPayload = { readonly notifications: readonly NotificationAppend[] };

const ID = z.int().positive();
const SEQUENCE = z.int().nonnegative();
const CONTENT = z.object({
  kind: z.string(),
  title: z.string(),
  body: z.string(),
  url: z.string().nullable(),
  expiresAt: z.string().nullable(),
});
const DELIVERY = z.object({ userId: ID, sequence: SEQUENCE, id: ID, unread: SEQUENCE });
const APPEND: z.ZodType<NotificationAppend> = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("delivered"),
    content: CONTENT,
    createdAt: z.string(),
    to: z.array(DELIVERY),
  }),
  z.object({
    type: z.literal("read"),
    userId: ID,
    sequence: SEQUENCE,
    ids: z.array(ID),
    upTo: SEQUENCE.nullable(),
    unread: SEQUENCE,
  }),
]);

export const NOTIFICATION_SPEC: OutboxKindSpec<AppendPayload> = {
  kind: NOTIFICATION_KIND,
  lists: { notifications: APPEND },
  losses: {
    notifications: "subscribers learn of notifications with the next one; inboxes have them",
  },
  invalidates: false,
};

/** @param apply completes the logs from Postgres, and publishes */
export const createNotificationKind = (apply: ApplyNotifications): OutboxKind<AppendPayload> => ({
  ...NOTIFICATION_SPEC,
  async send({ payload: { notifications } }) {
    const failures: unknown[] = [];
    // Entries of one log come in the order of the row.
    for (const append of notifications)
      await apply(append).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw mostTelling(failures);
    return 0;
  },
});
