/**
 * The logs of notifications: Postgres holds them, and
 * Redis the tail of those with subscribers. Positions
 * are the same in both. Where the tail cannot answer,
 * a reader goes on in Postgres.
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { NotificationLogTable } from "../../db/notification/event-log.js";
import {
  DURABLE,
  type EventLogEntry,
  type EventLogPage,
  type EventLogPosition,
} from "../../domain/events/event-log.js";
import type { EventLogTopicKind, Topic } from "../../domain/events/events.js";
import type {
  Delivery,
  NotificationAppend,
  NotificationEvent,
  NotificationRecord,
} from "../../domain/notification.js";
import type { Breaker } from "../../redis/client/breaker.js";
import { NOT_LOADED } from "../../redis/client/memory-fence.js";
import type { EventLogTail, TailRead } from "../../redis/event-log/tail.js";
import { failuresOf, mostTelling } from "../failures.js";
import type { EventLogSource } from "../live/event-log-subscription.js";

/**
 * Adds committed entries to the tails and announces
 * them, each user's by itself. Can be repeated.
 * Rejects with RedisUnavailable.
 */
export type ApplyNotifications = (append: NotificationAppend) => Promise<void>;

export function createApplyNotifications(tail: Pick<EventLogTail, "append">): ApplyNotifications {
  const add = (userId: number, sequence: number, event: NotificationEvent): Promise<void> =>
    tail.append(notificationTopic(userId), sequence, JSON.stringify(event));
  return async (append) => {
    if (append.type === "read") {
      const { userId, sequence, ...event } = append;
      return add(userId, sequence, event);
    }
    const { content, createdAt, to } = append;
    const publish = ({ unread, ...place }: Delivery): Promise<void> =>
      add(place.userId, place.sequence, {
        type: "delivered",
        notification: { ...content, ...place, createdAt, readAt: null },
        unread,
      });
    const failures: unknown[] = [];
    for (let done = 0; done < to.length; done += APPENDED_AT_ONCE) {
      const some = await failuresOf(to.slice(done, done + APPENDED_AT_ONCE).map(publish));
      failures.push(...some);
      // Redis is away; the rest would wait for it in vain.
      if (some.length === APPENDED_AT_ONCE) break;
    }
    if (failures.length > 0) throw mostTelling(failures);
  };
}

/**
 * Commands under way at once: more would wait for each
 * other beyond their deadline.
 */
const APPENDED_AT_ONCE = 100;

/** The topic of a user's log. */
export const notificationTopic = (userId: number): Topic<EventLogTopicKind> => ({
  kind: "notification",
  id: userId,
});

/**
 * Entries read at once; a stalled reader holds as
 * many. 25 of the longest are about 100 KB.
 */
const ENTRIES_AT_ONCE = 25;

export interface NotificationSourceDeps {
  readonly tail: EventLogTail;
  readonly table: Pick<NotificationLogTable, "read" | "last">;
  readonly breaker: Breaker;
}

/** Rejects only when Postgres is needed and does not answer. */
export function createNotificationSource(
  userId: number,
  { tail, table, breaker }: NotificationSourceDeps,
): EventLogSource<NotificationEvent> {
  const topic = notificationTopic(userId);

  const fromPostgres = async (
    after: number,
  ): Promise<{ page: EventLogPage<NotificationEvent>; last: number }> => {
    const { last, entries } = await table.read(userId, after, ENTRIES_AT_ONCE);
    if (last < after)
      return { last, page: { reason: "CURSOR_INVALID", resumeFrom: positionAt(last) } };
    const found = entries.map(({ sequence, event }) => ({ position: positionAt(sequence), event }));
    // Less than a page: in this statement nothing follows
    // up to the end.
    const next =
      found.length < ENTRIES_AT_ONCE
        ? positionAt(last)
        : (found.at(-1)?.position ?? positionAt(last));
    return { last, page: { entries: found, next, more: next.sequence < last } };
  };

  return {
    async end() {
      const caller = randomUUID();
      const end = await fromTail(() => tail.end(topic, caller));
      if (end && end !== NOT_LOADED) return positionAt(end.last);
      const last = await table.last(userId);
      if (end) await load(caller, last);
      return positionAt(last);
    },
    async read({ epoch, sequence }) {
      if (epoch !== DURABLE) return { reason: "CURSOR_INVALID", resumeFrom: await this.end() };
      const caller = randomUUID();
      const found = await fromTail(() => tail.read(topic, sequence, ENTRIES_AT_ONCE, caller));
      const cached = found && found !== NOT_LOADED ? followingEntries(found, sequence) : null;
      if (cached) return cached;
      const { page, last } = await fromPostgres(sequence);
      if (found === NOT_LOADED) await load(caller, last);
      return page;
    },
  };

  /** Null where Redis is not asked or does not answer. */
  async function fromTail<T>(ask: () => Promise<T>): Promise<T | null> {
    if (!breaker.isClosed()) return null;
    return ask().catch((error: unknown) => {
      breaker.trip(error);
      return null;
    });
  }

  /** On failure, the next reader loads the tail. */
  async function load(caller: string, last: number): Promise<void> {
    await tail.load(topic, caller, last).catch(() => false);
  }
}

const positionAt = (sequence: number): EventLogPosition => ({ epoch: DURABLE, sequence });

/**
 * The entries that follow without a hole; null where
 * the tail cannot answer.
 */
function followingEntries(
  { last, nowMs, entries }: TailRead,
  after: number,
): EventLogPage<NotificationEvent> | null {
  if (last < after) return null;
  const unbroken = entries.filter(({ sequence }, index) => sequence === after + 1 + index);
  if (unbroken.length === 0 && last > after) return null;
  const parsed = unbroken.map(({ sequence, text }) => ({
    position: positionAt(sequence),
    event: parseEntry(text),
  }));
  if (parsed.some(({ event }) => event === null)) return null;
  const next = positionAt(after + unbroken.length);
  return {
    entries: (parsed as EventLogEntry<NotificationEvent>[]).filter(({ event }) =>
      isUnexpired(event, nowMs),
    ),
    next,
    more: next.sequence < last,
  };
}

const isUnexpired = (event: NotificationEvent, nowMs: number): boolean =>
  event.type === "read" ||
  event.notification.expiresAt === null ||
  Date.parse(event.notification.expiresAt) > nowMs;

const RECORD: z.ZodType<NotificationRecord> = z.object({
  id: z.int(),
  userId: z.int(),
  sequence: z.int(),
  kind: z.string(),
  title: z.string(),
  body: z.string(),
  url: z.string().nullable(),
  createdAt: z.string(),
  readAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
});
const NOTIFICATION_EVENT: z.ZodType<NotificationEvent> = z.discriminatedUnion("type", [
  z.object({ type: z.literal("delivered"), notification: RECORD, unread: z.int() }),
  z.object({
    type: z.literal("read"),
    ids: z.array(z.int()),
    upTo: z.int().nullable(),
    unread: z.int(),
  }),
]);

/** Null for an invalid entry: Postgres is asked instead. */
function parseEntry(text: string): NotificationEvent | null {
  try {
    return NOTIFICATION_EVENT.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
