/** Sending notifications, and marking them as read. */
import { GraphQLDateTime } from "graphql-scalars";
import { ArgsType, Field, ID, InputType, Int, ObjectType } from "type-graphql";
import { NOTIFICATION_LIMITS } from "../../domain/notification.js";
import { UserError } from "../user-error.js";
import { Inbox } from "./inbox.js";

const { kind, title, body, url, users, ids } = NOTIFICATION_LIMITS;

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

  @Field(() => Inbox, {
    nullable: true,
    description: "The inbox after this; null when it was refused.",
  })
  inbox!: Inbox | null;

  @Field(() => [UserError], { description: "Why it was refused; empty when it was done." })
  errors!: readonly UserError[];
}
