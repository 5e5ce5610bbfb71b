/** The subscription of a product's counters. */
import { Arg, Ctx, ID, Resolver, Root, Subscription } from "type-graphql";
import { BadUserInput } from "../../domain/errors.js";
import { decodeIdOf } from "../../domain/ids.js";
import { ProductStats } from "../../schema/product/stats.js";
import { Delivers, Shared } from "../../schema/scope.js";
import type { RequestContext } from "../context.js";
import type { WatchEvent } from "../events.js";

/** `Subscription.productStatsChanged`. */
@Resolver()
export class ProductStatsSubscriptions {
  @Subscription(() => ProductStats, {
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
        "The product to watch. BAD_USER_INPUT when it is not the id of a product that is sold.",
    })
    _productId: string,
    @Root() { id, seen }: WatchEvent<number>,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductStats> {
    ctx.wrote({ count: seen, bypassUntilMs: 0 });
    const product = await ctx.loaders.product.load(id);
    if (!product || product.removed)
      throw new BadUserInput("productId is not the id of a product that is sold.", ["productId"]);
    return { productId: id };
  }
}

function watchedKey(productId: string): number {
  const key = decodeIdOf("Product", productId);
  if (key === null) throw new BadUserInput("productId is not the id of a product.", ["productId"]);
  return key;
}
