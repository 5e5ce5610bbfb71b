/** The subscription of a product's counters. */
import { Arg, Ctx, ID, Resolver, Root, Subscription } from "type-graphql";
import type { CurrencyCode } from "../../domain/catalogue/money.js";
import { BadUserInput } from "../../domain/errors.js";
import { decodeIdOf, encodeId } from "../../domain/ids.js";
import { ProductStatsChange } from "../../schema/product/stats-changed.js";
import { Delivers, Shared } from "../../schema/scope.js";
import type { RequestContext } from "../context.js";
import type { WatchEvent } from "../events.js";
import { toVisibleProduct } from "./product.js";

/** `Subscription.productStatsChanged`. */
@Resolver()
export class ProductStatsSubscriptions {
  constructor(private readonly currency: CurrencyCode) {}

  @Subscription(() => ProductStatsChange, {
    topics: "productStatsChanged",
    topicId: ({ args }: { args: { productId: string } }) => [watchedKey(args.productId)],
    description:
      "Watches the counters of a product. Delivery class: snapshot. Every message holds the " +
      "present counters; one comes at the start, then one after changes, conflated: however " +
      "many there are, at most one per 100 ms by default, and the last one always.",
  })
  @Shared("PUBLIC")
  @Delivers("SNAPSHOT")
  async productStatsChanged(
    @Arg("productId", () => ID, {
      description:
        "The product to watch. BAD_USER_INPUT when it is not the id of a product; one that " +
        "was removed has counters still.",
    })
    _productId: string,
    @Root() { id, seen }: WatchEvent<number>,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductStatsChange> {
    ctx.wrote({ count: seen, bypassUntilMs: 0 });
    const record = await ctx.loaders.product.load(id);
    if (!record) throw new BadUserInput("productId is not the id of a product.", ["productId"]);
    // Both places read by the loaders of this event: one read.
    return {
      id: encodeId("Product", id),
      product: toVisibleProduct(record, this.currency),
      stats: { productId: id },
    };
  }
}

function watchedKey(productId: string): number {
  const key = decodeIdOf("Product", productId);
  if (key === null) throw new BadUserInput("productId is not the id of a product.", ["productId"]);
  return key;
}
