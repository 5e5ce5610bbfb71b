/** Views, shares and likes by clients. The services check rights and what counts. */
import { Arg, Args, Ctx, ID, Mutation, Resolver } from "type-graphql";
import { requireUser } from "../../domain/account/principal.js";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";
import type { CurrencyCode } from "../../domain/catalogue/money.js";
import type { UserError } from "../../domain/errors.js";
import { decodeIdOf } from "../../domain/ids.js";
import { CountArgs, ProductStatsPayload } from "../../schema/product/stats.js";
import type { Counters } from "../../services/counters/counters.js";
import type { LikeOutcome, Likes } from "../../services/counters/likes.js";
import type { RequestContext } from "../context.js";
import { toProduct } from "./product.js";

const LIKED =
  "The product. INVALID when it is not the id of a product, NOT_FOUND when there is none " +
  "behind it, PRODUCT_REMOVED when it is no longer sold.";

/** The mutations of counters. */
@Resolver()
export class ProductStatsMutations {
  constructor(
    private readonly counters: Pick<Counters, "view" | "share">,
    private readonly likes: Likes,
    private readonly currency: CurrencyCode,
  ) {}

  @Mutation(() => ProductStatsPayload, {
    description:
      "Counts a view by the caller, guests included. Views of one product by one viewer " +
      "within 30 minutes count once. After SERVICE_UNAVAILABLE it may have been counted or " +
      "not, as the message says: send it again with the same `operationId`, and it counts " +
      "once.",
  })
  trackView(
    @Args(() => CountArgs) args: CountArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductStatsPayload> {
    return this.count("view", args, ctx);
  }

  @Mutation(() => ProductStatsPayload, {
    description:
      "Counts a share by the caller, guests included. After SERVICE_UNAVAILABLE it may have " +
      "been counted or not, as the message says: send it again with the same `operationId`, " +
      "and it counts once. Without an `operationId` it may then count twice.",
  })
  share(
    @Args(() => CountArgs) args: CountArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductStatsPayload> {
    return this.count("share", args, ctx);
  }

  @Mutation(() => ProductStatsPayload, {
    description:
      "Likes a product; a second like changes nothing. Signed in only, otherwise UNAUTHENTICATED.",
  })
  like(
    @Arg("productId", () => ID, { description: LIKED }) productId: string,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductStatsPayload> {
    return this.changeLike("like", productId, ctx);
  }

  @Mutation(() => ProductStatsPayload, {
    description:
      "Takes a like back; without one it changes nothing. Signed in only, otherwise " +
      "UNAUTHENTICATED.",
  })
  unlike(
    @Arg("productId", () => ID, { description: LIKED }) productId: string,
    @Ctx() ctx: RequestContext,
  ): Promise<ProductStatsPayload> {
    return this.changeLike("unlike", productId, ctx);
  }

  private async count(
    kind: "view" | "share",
    { productId, operationId }: CountArgs,
    ctx: RequestContext,
  ): Promise<ProductStatsPayload> {
    const key = decodeIdOf("Product", productId);
    if (key === null) return refusedStats([NOT_A_PRODUCT]);
    const product = await ctx.loaders.product.load(key);
    const errors = await this.counters[kind]({
      product,
      owner: () => ctx.writingOwner(),
      operationId: operationId ?? undefined,
    });
    ctx.loaders.tally.clearAll();
    ctx.loaders.viewers.clearAll();
    return this.show(product, errors);
  }

  private async changeLike(
    kind: keyof Likes,
    productId: string,
    ctx: RequestContext,
  ): Promise<ProductStatsPayload> {
    requireUser(ctx.principal);
    const key = decodeIdOf("Product", productId);
    if (key === null) return refusedStats([NOT_A_PRODUCT]);
    const { errors, seen }: LikeOutcome = await this.likes[kind](ctx.principal, key);
    if (seen) ctx.wrote(seen);
    return errors.length > 0
      ? refusedStats(errors)
      : this.show(await ctx.loaders.product.load(key), errors);
  }

  private show(product: ProductRecord | null, errors: readonly UserError[]): ProductStatsPayload {
    if (!product || errors.length > 0) return refusedStats(errors);
    return { product: toProduct(product, this.currency), stats: { productId: product.id }, errors };
  }
}

const refusedStats = (errors: readonly UserError[]): ProductStatsPayload => ({
  product: null,
  stats: null,
  errors,
});

const NOT_A_PRODUCT: UserError = {
  code: "INVALID",
  message: "This is not the id of a product.",
  field: ["productId"],
};
