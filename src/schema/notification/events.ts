/** The log of a user's notifications: its events and its gaps. */
import { createUnionType, Field, ID, Int, ObjectType } from "type-graphql";
import type { GapReason } from "../../domain/events/event-log.js";
import { NOTIFICATION_LIMITS } from "../../domain/notification.js";
import { declareEnum } from "../enums.js";
import { ListSize } from "../price.js";
import { Inbox } from "./inbox.js";
import { Notification } from "./notification.js";

@ObjectType({ description: "A notification was sent.", simpleResolvers: true })
export class NotificationDelivered {
  readonly __typename = "NotificationDelivered";

  @Field(() => String, {
    description:
      "Opaque position of this event in the log: what to continue `after`. It is also the " +
      "cursor of the notification in `viewer.notifications`, and what " +
      "`markNotificationsRead` takes as `upTo`.",
  })
  cursor!: string;

  @Field(() => Notification, { description: "The notification as it was sent." })
  notification!: Notification;

  @Field(() => Int, { description: "How many were unread with this one." })
  unreadCount!: number;

  @Field(() => Inbox, {
    description: "The inbox that it came to; its count is the `unreadCount` of this event.",
  })
  inbox!: Inbox;
}

@ObjectType({
  description: "Notifications were read, on this device or on another one.",
  simpleResolvers: true,
})
export class NotificationsRead {
  readonly __typename = "NotificationsRead";

  @Field(() => String, {
    description: "Opaque position of this event in the log: what to continue `after`.",
  })
  cursor!: string;

  @ListSize({ most: NOTIFICATION_LIMITS.ids })
  @Field(() => [ID], {
    description:
      "Those that were marked by their ids and had been unread; empty where `upTo` says which.",
  })
  ids!: readonly string[];

  @Field(() => String, {
    nullable: true,
    description:
      "Cursor of a notification: it and everything older is read. Null where `ids` say which.",
  })
  upTo!: string | null;

  @Field(() => Int, { description: "How many were unread after this." })
  unreadCount!: number;

  @Field(() => Inbox, {
    description: "The inbox that they are in; its count is the `unreadCount` of this event.",
  })
  inbox!: Inbox;
}

/** Why a log has a gap. */
export const GapReasonEnum = declareEnum<GapReason>({
  name: "GapReason",
  description: "Why a log cannot go on where it was asked to.",
  values: {
    TRIMMED: "What followed the cursor is not kept any more.",
    EPOCH_CHANGED:
      "The history that the cursor belongs to is gone: the server that held it lost it, or " +
      "may have.",
    SLOW_CONSUMER: "The client took events more slowly than they are kept for.",
    CURSOR_INVALID:
      "The cursor is not one of this log: another user's, a damaged one, or from a history " +
      "that was undone.",
  },
});

/** Replaces missing events. */
@ObjectType({
  description:
    "Events may be missing here: read again what they are about. The subscription goes on " +
    "after `resumeFrom`.",
  simpleResolvers: true,
})
export class StreamGap {
  readonly __typename = "StreamGap";

  @Field(() => GapReasonEnum, { description: "Why the log cannot simply go on." })
  reason!: GapReason;

  @Field(() => String, {
    nullable: true,
    description:
      "The position from which nothing is missing again, to keep instead of the old cursor.",
  })
  resumeFrom!: string | null;
}

/** Events of the log; build-schema.ts resolves their types. */
export const NotificationEventUnion = createUnionType({
  name: "NotificationEvent",
  description:
    "What a log of notifications tells, each event once and in order, or that it cannot.",
  types: () => [NotificationDelivered, NotificationsRead, StreamGap] as const,
});
