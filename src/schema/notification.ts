/** Notifications: what a user is told, and the log that tells of it. */
import { GraphQLDateTime } from "graphql-scalars";
import { ArgsType, createUnionType, Field, ID, InputType, Int, ObjectType } from "type-graphql";
import type { GapReason } from "../domain/events/log.js";
import { NOTIFICATION_LIMITS } from "../domain/notification.js";
import { declareConnection } from "./connection.js";
import { declareEnum } from "./enums.js";
import { Node } from "./node.js";
import { PageArgs } from "./page.js";
import { ListSize } from "./price.js";
import { UserError } from "./user-error.js";

/** A notification. */
@ObjectType({
  description:
    "Something a user is told. Seen by that user alone: for anybody else there is nothing " +
    "behind its id.",
  implements: Node,
  simpleResolvers: true,
})
export class Notification extends Node {
  @Field(() => String, {
    description: "What it is about, as a word to branch on, e.g. `order.shipped`.",
  })
  kind!: string;

  @Field(() => String, {
    description: "The headline: plain, unescaped; escape it before putting it into a page.",
  })
  title!: string;

  @Field(() => String, {
    description:
      "The text, possibly empty: plain, unescaped; escape it before putting it into a page.",
  })
  body!: string;

  @Field(() => String, {
    nullable: true,
    description:
      "Where it leads: an address with http or https, or a path of the shop that begins with " +
      "a slash.",
  })
  url!: string | null;

  @Field(() => GraphQLDateTime, { description: "When it was sent." })
  createdAt!: string;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description:
      "When it was read; null when it was not. In an event of the log always null: what was " +
      "read since, later events tell.",
  })
  readAt!: string | null;
}

/** A page of an inbox. */
export const { Connection: NotificationConnection } = declareConnection(
  "Notification",
  "notifications",
  () => Notification,
);

/** Arguments of `Viewer.notifications`. */
@ArgsType()
export class InboxArgs extends PageArgs {
  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: "Only what was not read.",
  })
  unreadOnly?: boolean | null;
}

/** An event of the log. */
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
}

/** An event of the log. */
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

/** In place of events. */
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

/** What the log tells; build-schema.ts tells its types apart. */
export const NotificationEventUnion = createUnionType({
  name: "NotificationEvent",
  description:
    "What a log of notifications tells, each event once and in order, or that it cannot.",
  types: () => [NotificationDelivered, NotificationsRead, StreamGap] as const,
});

const { kind, title, body, url, users, ids } = NOTIFICATION_LIMITS;

/** What an admin sends. */
@InputType({
  description: "A notification to users or to everyone: exactly one of `userIds` and `everyone`.",
})
export class NotificationInput {
  @Field(() => [ID], {
    nullable: true,
    description:
      `Who gets it: 1 to ${users} ids of users, otherwise OUT_OF_RANGE; NOT_FOUND when nobody ` +
      "is behind one, and then nobody gets it.",
  })
  userIds?: string[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      "True sends it to everybody who has an account now, in the background: inboxes have it " +
      "one after the other.",
  })
  everyone?: boolean | null;

  @Field(() => String, {
    description:
      "What it is about, as a word to branch on: lower-case letters, digits, dots, dashes and " +
      `underscores, beginning with a letter; at most ${kind} characters.`,
  })
  kind!: string;

  @Field(() => String, {
    description:
      `The headline: one line, not blank, otherwise REQUIRED; at most ${title} characters, ` +
      "otherwise TOO_LONG.",
  })
  title!: string;

  @Field(() => String, {
    description: `The text; may be empty; at most ${body} characters, otherwise TOO_LONG.`,
  })
  body!: string;

  @Field(() => String, {
    nullable: true,
    description:
      "Where it leads: an address with http or https, or a path that begins with one slash, " +
      `otherwise INVALID; at most ${url} characters.`,
  })
  url?: string | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description:
      "When it is of no use any more: from then on it is nowhere to be seen and does not " +
      "count. In the future, otherwise OUT_OF_RANGE.",
  })
  expiresAt?: Date | null;

  @Field(() => ID, {
    nullable: true,
    description:
      "Makes it safe to repeat: any string of the caller's that is new for each " +
      "notification, remembered for at least 24 hours. Repeated with the same input, nothing " +
      "is sent again, and the answer says how it is now; with another, IDEMPOTENCY_MISMATCH.",
  })
  operationId?: string | null;
}

/** Answer of `sendNotification`. */
@ObjectType({
  description: "What became of a notification that was to be sent.",
  simpleResolvers: true,
})
export class NotificationPayload {
  @Field(() => Int, {
    nullable: true,
    description: "How many users it is for; null when it was refused.",
  })
  recipients!: number | null;

  @Field(() => Boolean, {
    description:
      "Whether every recipient has it by now. True for `userIds`. For `everyone` false until " +
      "it is in the last inbox: repeat the call with its `operationId` to ask again, which " +
      "answers `recipients` and `delivered` as they are then. True also for one that expired " +
      "on its way. A recipient whose inbox cannot be written is tried again and then set " +
      "aside, and keeps it false until an operator has it sent again or drops it. False when " +
      "it was refused.",
  })
  delivered!: boolean;

  @Field(() => [UserError], { description: "Why it was refused; empty when it was sent." })
  errors!: readonly UserError[];
}

/** Arguments of `Mutation.markNotificationsRead`. */
@ArgsType()
export class MarkReadArgs {
  @Field(() => String, {
    nullable: true,
    description:
      "Marks everything up to this cursor: one of `viewer.notifications` or of " +
      "`notificationReceived`, otherwise INVALID.",
  })
  upTo?: string | null;

  @Field(() => [ID], {
    nullable: true,
    description:
      `Marks these: at most ${ids}, otherwise OUT_OF_RANGE. Those that are not the caller's, ` +
      "were read before or do not exist are passed over.",
  })
  ids?: string[] | null;
}

/** Answer of `markNotificationsRead`. */
@ObjectType({
  description: "What became of notifications that were to be marked as read.",
  simpleResolvers: true,
})
export class MarkReadPayload {
  @Field(() => Int, {
    nullable: true,
    description: "How many were unread and are read now; null when it was refused.",
  })
  marked!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: "How many are unread after this; null when it was refused.",
  })
  unreadCount!: number | null;

  @Field(() => [UserError], { description: "Why it was refused; empty when it was done." })
  errors!: readonly UserError[];
}
