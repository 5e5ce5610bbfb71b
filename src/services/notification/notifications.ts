/**
 * Notifications of a user: the inbox, its read marks,
 * and the log of both. A mark is an entry of the log.
 * It commits with the change and is published by the
 * outbox: all devices agree.
 */
import type { Tx } from "../../db/client/database.js";
import type { NotificationLogTable } from "../../db/notification/event-log.js";
import type { NotificationTable } from "../../db/notification/inbox.js";
import { type Principal, requireUser } from "../../domain/account/principal.js";
import { type UserError, userError } from "../../domain/errors.js";
import { type EventLogItem, readEventLogCursor } from "../../domain/events/event-log.js";
import {
  NOTIFICATION_LIMITS,
  type NotificationEvent,
  notificationLog,
} from "../../domain/notification.js";
import type { EventLogSource, EventLogSubscriptions } from "../live/event-log-subscription.js";
import {
  createWriteWithOutbox,
  type Decided,
  type OutboxWriteDeps,
} from "../outbox/write-with-outbox.js";
import { notificationTopic } from "./event-log.js";
import { notificationEntry } from "./outbox-kind.js";

/** These, or everything up to a cursor. */
export type MarkRequest = { readonly ids: readonly number[] } | { readonly upTo: string };

/** Counts of unread ones; null where it was refused. */
export interface MarkOutcome {
  readonly marked: number | null;
  readonly unread: number | null;
  readonly errors: readonly UserError[];
}

export interface Notifications
  extends Pick<NotificationTable, "page" | "count">,
    Pick<NotificationLogTable, "unread"> {
  /**
   * Marks the caller's own as read; other ids are
   * ignored. Throws Unauthenticated.
   */
  markRead(principal: Principal, request: MarkRequest): Promise<MarkOutcome>;
  /** Follows a log: after a cursor, or from now on. */
  follow(
    userId: number,
    after: string | null | undefined,
  ): AsyncIterableIterator<EventLogItem<NotificationEvent>>;
}

export interface NotificationsDeps extends OutboxWriteDeps {
  readonly inboxes: NotificationTable;
  readonly eventLogs: NotificationLogTable;
  readonly subscriptions: EventLogSubscriptions;
  readonly sourceOf: (userId: number) => EventLogSource<NotificationEvent>;
}

export function createNotifications({
  inboxes,
  eventLogs,
  subscriptions,
  sourceOf,
  ...parts
}: NotificationsDeps): Notifications {
  const write = createWriteWithOutbox(parts);

  const mark = async (tx: Tx, userId: number, wanted: Marking): Promise<Decided<Marked>> => {
    if (!(await eventLogs.hold(tx, userId))) return NOTHING_SENT;
    const { count, ids, upTo } = await apply(tx, userId, wanted);
    if (count === 0) return { decision: { count, unread: null }, owes: [] };
    const { sequence, unread } = await eventLogs.addRead(tx, userId, { ids, upTo, count });
    const append = { type: "read", userId, sequence, ids, upTo, unread } as const;
    return {
      decision: { count, unread },
      owes: [notificationEntry(append)],
    };
  };

  const apply = async (tx: Tx, userId: number, wanted: Marking) => {
    if ("ids" in wanted) {
      const ids = await inboxes.markRead(tx, userId, wanted.ids);
      return { count: ids.length, ids, upTo: null };
    }
    const { count, newest } = await inboxes.markReadTo(tx, userId, wanted.sequence);
    return { count, ids: [], upTo: newest };
  };

  return {
    page: inboxes.page,
    count: inboxes.count,
    unread: eventLogs.unread,
    async markRead(principal, request) {
      const { userId } = requireUser(principal);
      const wanted = toMarking(userId, request);
      if ("code" in wanted) return { marked: null, unread: null, errors: [wanted] };
      const { decision } = await write((tx) => mark(tx, userId, wanted));
      return {
        marked: decision.count,
        unread: decision.unread ?? (await eventLogs.unread(userId)),
        errors: [],
      };
    },
    follow: (userId, after) =>
      subscriptions.follow(
        notificationTopic(userId),
        sourceOf(userId),
        readEventLogCursor(notificationLog(userId), after),
      ),
  };
}

type Marking = { readonly ids: readonly number[] } | { readonly sequence: number };

interface Marked {
  readonly count: number;
  /** Null where nothing changed: the caller counts. */
  readonly unread: number | null;
}

const NOTHING_SENT: Decided<Marked> = { decision: { count: 0, unread: 0 }, owes: [] };

function toMarking(userId: number, request: MarkRequest): Marking | UserError {
  if ("ids" in request) {
    const { length } = request.ids;
    if (length <= NOTIFICATION_LIMITS.ids) return request;
    const message = `ids must be at most ${NOTIFICATION_LIMITS.ids}, not ${length}.`;
    return userError("OUT_OF_RANGE", ["ids"], message);
  }
  const position = readEventLogCursor(notificationLog(userId), request.upTo);
  return typeof position === "object"
    ? position
    : userError("INVALID", ["upTo"], "upTo is not a cursor of your notifications.");
}
