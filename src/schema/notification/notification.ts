/** Notifications: the inbox of a user. */
import { GraphQLDateTime } from "graphql-scalars";
import { ArgsType, Field, ObjectType } from "type-graphql";
import { declareConnection } from "../connection.js";
import { Node } from "../node.js";
import { PageArgs } from "../page.js";

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
