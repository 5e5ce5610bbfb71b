/** One field, one mutation and one subscription. */
import { Arg, Mutation, Query, Resolver, Subscription } from "type-graphql";
import { Delivers, Shared } from "../../../src/schema/scope.js";
import { Guestbook } from "./schema.js";
import { GUESTBOOK_TOPIC, type Guestbooks } from "./service.js";
import type { GuestbookStore } from "./store.js";

@Resolver()
export class GuestbookResolver {
  constructor(
    private readonly store: Pick<GuestbookStore, "read">,
    private readonly guestbooks: Guestbooks,
  ) {}

  @Query(() => Guestbook, { description: "The guestbook." })
  @Shared("PUBLIC")
  guestbook(): Promise<Guestbook> {
    return this.store.read();
  }

  @Mutation(() => Guestbook, { description: "Signs the guestbook." })
  async signGuestbook(
    @Arg("signature", () => String, { description: "What to write." }) signature: string,
  ): Promise<Guestbook> {
    await this.guestbooks.sign(signature);
    return this.store.read();
  }

  @Subscription(() => Guestbook, {
    topics: GUESTBOOK_TOPIC.kind,
    topicId: () => [GUESTBOOK_TOPIC.id],
    description: "Watches the guestbook. Delivery class: snapshot.",
  })
  @Shared("PUBLIC")
  @Delivers("SNAPSHOT")
  guestbookChanged(): Promise<Guestbook> {
    return this.store.read();
  }
}
