/** The cart's subscription: every message is the whole cart. */
import { Ctx, Resolver, Subscription } from "type-graphql";
import { ownerName } from "../domain/account/guest.js";
import { Cart } from "../schema/cart.js";
import { Delivers } from "../schema/scope.js";
import type { Carts } from "../services/cart/carts.js";
import { shopperOf, toCart } from "./cart.js";
import type { RequestContext } from "./context.js";

/** `Subscription.cartChanged`. */
@Resolver()
export class CartSubscriptions {
  constructor(private readonly carts: Pick<Carts, "read">) {}

  @Subscription(() => Cart, {
    topics: "cartChanged",
    topicId: ({ context }: { context: RequestContext }) => [ownerName(context.writingOwner())],
    description:
      "Watches the caller's cart, on every device of its owner. Delivery class: snapshot. " +
      "Every message is the whole cart: one at the start, then one after every change, " +
      "conflated (the latest wins, at most one per 100 ms by default); after any doubt it is " +
      "sent again. Whoever has no cart yet becomes a guest, whose token comes with the first " +
      "message as `extensions.guest`. It watches the owner that the socket was opened as: " +
      "connect again after signing in. Changes of products are not told here; watch those by " +
      "`productChanged`.",
  })
  @Delivers("SNAPSHOT")
  async cartChanged(@Ctx() ctx: RequestContext): Promise<Cart> {
    // Each event has its own context: the first one answers a new
    // guest's token.
    ctx.writingOwner();
    return toCart(await this.carts.read(shopperOf(ctx)));
  }
}
