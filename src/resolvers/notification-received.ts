/**
 * The subscription of notifications: every event of the user's
 * log, once and in order. A gap says why events are missing.
 */
import { Arg, Resolver, Root, Subscription } from "type-graphql";
import { requireUser } from "../domain/account/principal.js";
import { mapStream } from "../domain/concurrency/stream.js";
import {
  DURABLE,
  type EventLogItem,
  type EventLogPosition,
  encodeEventLogCursor,
} from "../domain/events/event-log.js";
import { encodeId } from "../domain/ids.js";
import { type NotificationEvent, notificationLog } from "../domain/notification.js";
import {
  NotificationDelivered,
  NotificationEventUnion,
  NotificationsRead,
  StreamGap,
} from "../schema/notification/events.js";
import type { Notifications } from "../services/notification/notifications.js";
import type { RequestContext } from "./context.js";

import { toInbox, toNotificationType } from "./notification.js";

/**
 * The log that a subscription follows, and the cursor to begin
 * after.
 */
interface FollowRequest {
  readonly userId: number;
  readonly after: string | null;
}

/** An event of a log, with its user. */
interface FollowedEvent {
  readonly userId: number;
  readonly item: EventLogItem<NotificationEvent>;
}

/**
 * Follows logs of notifications; the argument is the field's
 * `topicId`.
 */
export const notificationStream =
  (notifications: Pick<Notifications, "follow">) =>
  (what: unknown): AsyncIterable<unknown> => {
    const { userId, after } = what as FollowRequest;
    const events = notifications.follow(userId, after);
    return mapStream(events, (item): FollowedEvent => ({ userId, item }));
  };

/** `Subscription.notificationReceived`. */
@Resolver()
export class NotificationSubscriptions {
  @Subscription(() => NotificationEventUnion, {
    topics: "notification",
    topicId: ({
      args,
      context,
    }: {
      args: { after?: string | null };
      context: RequestContext;
    }): FollowRequest => ({
      userId: requireUser(context.principal).userId,
      after: args.after ?? null,
    }),
    description:
      "Follows the log of the caller's notifications. Delivery class: log. Every event " +
      "exactly once and in the order of its commit, each with a cursor; `after` continues " +
      "behind one without a gap or a repetition, on any server and however long the client " +
      "was away. Notifications that have expired meanwhile are left out. Where the log " +
      "cannot go on, a StreamGap says so and from where it does. Signed in only, otherwise " +
      "UNAUTHENTICATED; it ends with the session.",
  })
  notificationReceived(
    @Arg("after", () => String, {
      nullable: true,
      description:
        "The cursor of the last event that was handled, or of a notification in " +
        "`viewer.notifications`. Null begins with what happens from now on, the empty string " +
        "with the first event of all. Anything else begins from now on, with a StreamGap of " +
        "CURSOR_INVALID.",
    })
    _after: string | null,
    @Root() { userId, item }: FollowedEvent,
  ): typeof NotificationEventUnion {
    return toEvent(userId, item);
  }
}

function toEvent(
  userId: number,
  item: EventLogItem<NotificationEvent>,
): NotificationDelivered | NotificationsRead | StreamGap {
  const cursorOf = (position: EventLogPosition): string =>
    encodeEventLogCursor(notificationLog(userId), position);
  if ("reason" in item)
    return Object.assign(new StreamGap(), {
      reason: item.reason,
      resumeFrom: cursorOf(item.resumeFrom),
    });
  const { position, event } = item;
  const common = {
    cursor: cursorOf(position),
    unreadCount: event.unread,
    inbox: toInbox(userId, event.unread),
  };
  if (event.type === "delivered") {
    return Object.assign(new NotificationDelivered(), {
      ...common,
      notification: toNotificationType(event.notification),
    });
  }
  const upTo = event.upTo === null ? null : cursorOf({ epoch: DURABLE, sequence: event.upTo });
  return Object.assign(new NotificationsRead(), {
    ...common,
    upTo,
    ids: event.ids.map((id) => encodeId("Notification", id)),
  });
}
