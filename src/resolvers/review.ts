/** Reviews and the edge back to their product. */
import { Ctx, FieldResolver, Resolver, Root } from "type-graphql";
import type { ReviewRecord } from "../domain/catalogue/catalogue.js";
import type { CurrencyCode } from "../domain/catalogue/money.js";
import { encodeId } from "../domain/ids.js";
import { Price } from "../schema/price.js";
import { Product } from "../schema/product/product.js";
import { Review, ReviewConnection } from "../schema/review.js";
import { Shared } from "../schema/scope.js";
import type { RequestContext } from "./context.js";
import { loadEach } from "./list.js";
import { type ReviewList, required, toProduct } from "./product/product.js";

/** A review as clients see it. */
export function toReview(record: ReviewRecord): Review {
  const { author, rating, body, createdAt } = record;
  return { id: encodeId("Review", record.id), author, rating, body, createdAt, record };
}

/** A review by its id, visible as long as its product is. */
export async function visibleReview(ctx: RequestContext, key: number): Promise<Review | null> {
  const record = await ctx.loaders.review.load(key);
  const product = record && (await ctx.loaders.product.load(record.productId));
  return record && product && !product.removed ? toReview(record) : null;
}

/** The edge of a review. */
@Resolver(() => Review)
export class ReviewResolver {
  constructor(private readonly currency: CurrencyCode) {}

  /**
   * A removed product is reachable only during its removal. It is
   * then shown as it last was.
   */
  @FieldResolver(() => Product, { description: "The product it is about." })
  @Shared("PUBLIC", { cached: true })
  async product(@Root() { record }: Review, @Ctx() ctx: RequestContext): Promise<Product> {
    return toProduct(required(await ctx.loaders.product.load(record.productId)), this.currency);
  }
}

/** What is behind a page of reviews. */
@Resolver(() => ReviewConnection)
export class ReviewConnectionResolver {
  @FieldResolver()
  edges(@Root() list: ReviewList, @Ctx() ctx: RequestContext) {
    return list.edges(async (ids) =>
      (await loadEach(ctx.loaders.review, ids)).map((record) => record && toReview(record)),
    );
  }

  @Price(1)
  @FieldResolver()
  totalCount(@Root() list: ReviewList, @Ctx() ctx: RequestContext): Promise<number> {
    return ctx.loaders.reviewCount.load(list.of);
  }
}
