/** Counters of products. */
import { GraphQLSafeInt } from "graphql-scalars";
import { ArgsType, Field, Float, ID, Int, ObjectType } from "type-graphql";
import { between } from "../../domain/argument-rules.js";
import { DAYS_KEPT, EXACT_VIEWERS, MONTHS_SHOWN } from "../../domain/counters.js";
import { Checked } from "../argument-rule.js";
import { Shared } from "../scope.js";
import { UserError } from "../user-error.js";
import { Product } from "./product.js";

@ObjectType({
  description:
    `How many distinct people there were. Up to ${EXACT_VIEWERS} they are known one by one; ` +
    "beyond, the number is estimated.",
  simpleResolvers: true,
})
export class ApproximateCount {
  @Field(() => GraphQLSafeInt, { description: "The number, or the best estimate of it." })
  @Shared("PUBLIC")
  estimate!: number;

  @Field(() => Float, {
    description:
      "Relative standard error of the estimate: about two in three estimates are off by less " +
      "than this share of the number; 0 when it is exact.",
  })
  @Shared("PUBLIC")
  standardError!: number;

  @Field(() => Boolean, {
    description: "Whether the number was counted; otherwise it is an estimate.",
  })
  @Shared("PUBLIC")
  exact!: boolean;
}

@ObjectType({ description: "What people did with a product on one day.", simpleResolvers: true })
export class DailyStats {
  @Field(() => String, { description: "The day in UTC, as `2026-11-03`." })
  @Shared("PUBLIC")
  day!: string;

  @Field(() => GraphQLSafeInt, { description: "Views on that day." })
  @Shared("PUBLIC")
  views!: number;

  @Field(() => ApproximateCount, { description: "How many people viewed it on that day." })
  @Shared("PUBLIC")
  uniqueViewers!: ApproximateCount;

  @Field(() => GraphQLSafeInt, {
    description: "Likes that were given on that day and still stand.",
  })
  @Shared("PUBLIC")
  likes!: number;

  @Field(() => GraphQLSafeInt, { description: "Shares on that day." })
  @Shared("PUBLIC")
  shares!: number;
}

@ObjectType({
  description: "What people did with a product in one calendar month.",
  simpleResolvers: true,
})
export class MonthlyStats {
  @Field(() => String, { description: "The month in UTC, as `2026-11`." })
  @Shared("PUBLIC")
  month!: string;

  @Field(() => GraphQLSafeInt, { description: "Views in that month." })
  @Shared("PUBLIC")
  views!: number;

  @Field(() => ApproximateCount, { description: "How many people viewed it in that month." })
  @Shared("PUBLIC")
  uniqueViewers!: ApproximateCount;

  @Field(() => GraphQLSafeInt, {
    description: "Likes that were given in that month and still stand.",
  })
  @Shared("PUBLIC")
  likes!: number;

  @Field(() => GraphQLSafeInt, { description: "Shares in that month." })
  @Shared("PUBLIC")
  shares!: number;
}

/**
 * Its fields are resolved one by one: clients pay for what they
 * select.
 */
@ObjectType({
  description:
    "What people do with a product. Counted as it happens; after a loss of Redis the counts " +
    "of views and shares may be short of the last seconds. While Redis is away they are " +
    "those written last.",
})
export class ProductStats {
  /** For resolvers; not a field. */
  productId!: number;
}

/** Arguments of `ProductStats.daily`. */
@ArgsType()
export class DailyArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: 7,
    description:
      `How many days, today included: 1 to ${DAYS_KEPT}, otherwise BAD_USER_INPUT. Null means ` +
      "7.",
  })
  @Checked(between(1, DAYS_KEPT))
  days!: number | null;
}

/** Arguments of `ProductStats.uniqueViewers`. */
@ArgsType()
export class ViewersArgs {
  @Field(() => Int, {
    nullable: true,
    description:
      `Only people of the last days, today included: 1 to ${DAYS_KEPT}, otherwise ` +
      "BAD_USER_INPUT. Null means since ever.",
  })
  @Checked(between(1, DAYS_KEPT))
  days?: number | null;
}

/** Arguments of `ProductStats.monthly`. */
@ArgsType()
export class MonthlyArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: 12,
    description:
      `How many months, the present one included: 1 to ${MONTHS_SHOWN}, otherwise ` +
      "BAD_USER_INPUT. Null means 12.",
  })
  @Checked(between(1, MONTHS_SHOWN))
  months!: number | null;
}

/** Arguments of `Mutation.trackView` and `Mutation.share`. */
@ArgsType()
export class CountArgs {
  @Field(() => ID, {
    description:
      "The product. INVALID when it is not the id of a product, NOT_FOUND when there is none " +
      "behind it, PRODUCT_REMOVED when it is no longer sold.",
  })
  productId!: string;

  @Field(() => ID, {
    nullable: true,
    description:
      "Makes it safe to repeat: any string of the caller's that is new for each time, 1 to " +
      "128 characters. For 24 hours the same one for the same product counts once, of a " +
      "user's the latest 64 of a product at least, of all guests' about 16,000.",
  })
  operationId?: string | null;
}

/** Answer of `trackView`, `share`, `like` and `unlike`. */
@ObjectType({ description: "What became of a view, a share or a like.", simpleResolvers: true })
export class ProductStatsPayload {
  @Field(() => Product, {
    nullable: true,
    description: "The product; null when nothing was counted.",
  })
  product!: Product | null;

  @Field(() => ProductStats, {
    nullable: true,
    description: "The product's counters as they are now; null when nothing was counted.",
  })
  stats!: ProductStats | null;

  @Field(() => [UserError], { description: "Why it was refused; empty when it was done." })
  errors!: readonly UserError[];
}
