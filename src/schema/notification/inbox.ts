/** The count of an inbox, as queries, mutations and events share it. */
import { Field, ID, ObjectType } from "type-graphql";

/**
 * It has no edge to the notifications: events carry it, and what
 * events read is not paid for.
 */
@ObjectType({
  description:
    "What can be told of an inbox without reading it. The notifications themselves are in " +
    "`viewer.notifications`.",
  simpleResolvers: true,
})
export class Inbox {
  @Field(() => ID, {
    description:
      "Names the inbox for a client's own cache: select it, and the events of " +
      "`notificationReceived` keep the count of queries. No operation takes it.",
  })
  id!: string;

  /** For resolvers; not a field. */
  userId!: number;

  /** Null where it has to be read. For resolvers; not a field. */
  knownUnread!: number | null;
}
