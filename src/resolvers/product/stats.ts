/** The counters of products. */
import { GraphQLSafeInt } from "graphql-scalars";
import { Args, Ctx, FieldResolver, ID, Resolver, Root } from "type-graphql";
import { signedIn } from "../../domain/account/principal.js";
import { DAYS_KEPT, MONTHS_SHOWN, type Tally } from "../../domain/counters.js";
import { BadUserInput } from "../../domain/errors.js";
import { encodeCacheId } from "../../domain/ids.js";
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
  DailyArgs,
  DailyStats,
  MonthlyArgs,
  MonthlyStats,
  ProductStats,
  ViewersArgs,
} from "../../schema/product/stats.js";
import { Shared } from "../../schema/scope.js";
import type { RequestContext } from "../context.js";

/** The edges of a product's counters. */
@Resolver(() => ProductStats)
export class ProductStatsResolver {
  constructor(private readonly clock: Clock) {}

  @FieldResolver(() => ID, {
    description:
      "Names the counters of this product for a client's own cache: select it, and what " +
      "queries, mutations and events answer is merged. No operation takes it.",
  })
  @Shared("PUBLIC")
  id(@Root() { productId }: ProductStats): string {
    return encodeCacheId("ProductStats", productId);
  }

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
