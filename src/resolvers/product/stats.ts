/** The counters of products, and what changes them. */

import { GraphQLSafeInt } from "graphql-scalars";
import {
  Arg,
  Args,
  Ctx,
  FieldResolver,
  ID,
  Mutation,
  Resolver,
  Root,
  Subscription,
} from "type-graphql";
import { requireUser, signedIn } from "../../domain/account/principal.js";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";
import type { CurrencyCode } from "../../domain/catalogue/money.js";
import { DAYS_KEPT, MONTHS_SHOWN, type Tally } from "../../domain/counters.js";
import { BadUserInput, type UserError } from "../../domain/errors.js";
import { decodeIdOf } from "../../domain/ids.js";
import {
  type CalendarSpan,
  dayAt,
  dayNumber,
  dayOf,
  monthOf,
} from "../../domain/leaderboard/calendar.js";
import type { Clock } from "../../domain/time/clock.js";
import { ListSize, Works } from "../../schema/price.js";
import {
  ApproximateCount,
  CountArgs,
  DailyArgs,
  DailyStats,
  MonthlyArgs,
  MonthlyStats,
  ProductStats,
  ProductStatsPayload,
  ViewersArgs,
} from "../../schema/product/stats.js";
import { Delivers, Shared } from "../../schema/scope.js";
import type { Counters } from "../../services/counters/counters.js";
import type { LikeOutcome, Likes } from "../../services/counters/likes.js";
import type { RequestContext } from "../context.js";
import type { WatchEvent } from "../events.js";
import { toProduct } from "./product.js";

/** The edges of a product's counters. */
@Resolver(() => ProductStats)
export class ProductStatsResolver {
  constructor(private readonly clock: Clock) {}

  @FieldResolver(() => GraphQLSafeInt, {
    description: "Views since ever; repeated views by one viewer within 30 minutes are one.",
  })
  @Shared("PUBLIC")
  async views(@Root() { productId }: ProductStats, @Ctx() ctx: RequestContext): Promise<number> {
    return (await ctx.loaders.tally.load({ productId, period: "all" })).views;
  }

  @FieldResolver(() => GraphQLSafeInt, { description: "Views since midnight UTC." })
  @Shared("PUBLIC")
  async viewsToday(
    @Root() { productId }: ProductStats,
    @Ctx() ctx: RequestContext,
  ): Promise<number> {
    return (await ctx.loaders.tally.load({ productId, period: dayOf(this.clock.nowMs()) })).views;
  }

  @Works({ by: "days", price: 2, most: DAYS_KEPT })
  @FieldResolver(() => ApproximateCount, {
    description:
      "How many people have viewed it, guests included. Of some days only: " +
      "SERVICE_UNAVAILABLE while Redis is away.",
  })
  @Shared("PUBLIC")
  async uniqueViewers(
    @Root() { productId }: ProductStats,
    @Args(() => ViewersArgs) { days }: ViewersArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<ApproximateCount> {
    if (typeof days === "number")
      return ctx.loaders.viewers.load({ productId, days: within("days", days, DAYS_KEPT) });
    return (await ctx.loaders.tally.load({ productId, period: "all" })).viewers;
  }

  @FieldResolver(() => GraphQLSafeInt, { description: "How many people like it now." })
  @Shared("PUBLIC")
  likes(@Root() { productId }: ProductStats, @Ctx() ctx: RequestContext): Promise<number> {
    return ctx.loaders.likes.load(productId);
  }

  @FieldResolver(() => GraphQLSafeInt, { description: "How often it was shared." })
  @Shared("PUBLIC")
  async shares(@Root() { productId }: ProductStats, @Ctx() ctx: RequestContext): Promise<number> {
    return (await ctx.loaders.tally.load({ productId, period: "all" })).shares;
  }

  @FieldResolver(() => Boolean, {
    description:
      "Whether whoever is signed in likes it; false for everybody else. SERVICE_UNAVAILABLE " +
      "when it cannot be told who asks.",
  })
  async likedByViewer(
    @Root() { productId }: ProductStats,
    @Ctx() ctx: RequestContext,
  ): Promise<boolean> {
    const user = signedIn(ctx.principal);
    return user ? ctx.loaders.liked.load({ productId, userId: user.userId }) : false;
  }

  @ListSize({ by: "days", most: DAYS_KEPT })
  @Works({ by: "days", price: 1, most: DAYS_KEPT })
  @FieldResolver(() => [DailyStats], {
    description: "The last days, the oldest first and today last.",
  })
  @Shared("PUBLIC")
  async daily(
    @Root() { productId }: ProductStats,
    @Args(() => DailyArgs) { days }: DailyArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<DailyStats[]> {
    const count = within("days", days ?? 7, DAYS_KEPT);
    const today = dayNumber(this.clock.nowMs());
    const spans = Array.from({ length: count }, (_, at) => dayAt(today - count + 1 + at));
    return (await spanStats(ctx, productId, { spans, by: "day" })).map(({ name, ...stats }) => ({
      day: name,
      ...stats,
    }));
  }

  @ListSize({ by: "months", most: MONTHS_SHOWN })
  @Works({ by: "months", price: 1, most: MONTHS_SHOWN })
  @FieldResolver(() => [MonthlyStats], {
    description: "The last months, the oldest first and the present one last.",
  })
  @Shared("PUBLIC")
  async monthly(
    @Root() { productId }: ProductStats,
    @Args(() => MonthlyArgs) { months }: MonthlyArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<MonthlyStats[]> {
    const count = within("months", months ?? 12, MONTHS_SHOWN);
    const spans = Array.from({ length: count }, (_, at) =>
      monthOf(this.clock.nowMs(), count - 1 - at),
    );
    return (await spanStats(ctx, productId, { spans, by: "month" })).map(({ name, ...stats }) => ({
      month: name,
      ...stats,
    }));
  }
}

/** Spans of one length, one after the other. */
interface Spans {
  readonly spans: readonly CalendarSpan[];
  readonly by: "day" | "month";
}

async function spanStats({ loaders }: RequestContext, productId: number, { spans, by }: Spans) {
  const [tallies, likes] = await Promise.all([
    Promise.all(spans.map((period) => loaders.tally.load({ productId, period }))),
    loaders.likesSince.load({ productId, sinceMs: spans[0]?.startMs ?? 0, by }),
  ]);
  return spans.map(({ name }, at) => {
    const { views, shares, viewers } = tallies[at] as Tally;
    return { name, views, shares, uniqueViewers: viewers, likes: likes.get(name) ?? 0 };
  });
}

function within(argument: string, count: number, most: number): number {
  if (count < 1 || count > most)
    throw new BadUserInput(`${argument} must be from 1 to ${most}, not ${count}.`, [argument]);
  return count;
}

const LIKED =
  "The product. INVALID when it is not the id of a product, NOT_FOUND when there is none " +
  "behind it, PRODUCT_REMOVED when it is no longer sold.";

/**
 * Views, shares and likes. The services check rights and what
 * counts.
 */
@Resolver()
export class ProductStatsMutations {
  constructor(
    private readonly counters: Pick<Counters, "view" | "share">,
    private readonly wishes: Likes,
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
    return this.wish("like", productId, ctx);
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
    return this.wish("unlike", productId, ctx);
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

  private async wish(
    kind: keyof Likes,
    productId: string,
    ctx: RequestContext,
  ): Promise<ProductStatsPayload> {
    requireUser(ctx.principal);
    const key = decodeIdOf("Product", productId);
    if (key === null) return refusedStats([NOT_A_PRODUCT]);
    const { errors, seen }: LikeOutcome = await this.wishes[kind](ctx.principal, key);
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
