/** Events of a product's counters. */
import { Field, ID, ObjectType } from "type-graphql";
import { Price } from "../price.js";
import { Shared } from "../scope.js";
import { Product } from "./product.js";
import { ProductStats } from "./stats.js";

/** Event of `Subscription.productStatsChanged`. */
@ObjectType({
  description:
    "The present counters of one product, sent at the start and after changes. They are under " +
    "`product.stats` and, equal, under `stats`: a cache that knows objects by their ids merges " +
    "the first, other clients read the second. Select one of them; each is paid for.",
  simpleResolvers: true,
})
export class ProductStatsChange {
  @Field(() => ID, { description: "The id that was subscribed to." })
  @Shared("PUBLIC")
  id!: string;

  @Field(() => Product, {
    nullable: true,
    description:
      "The product with its counters; null once it was removed, which `productChanged` tells. " +
      "Select `id` and `stats` of it here, and what else may change by `productChanged`: " +
      "between two subscriptions nothing says which value is the newer one.",
  })
  @Shared("PUBLIC")
  product!: Product | null;

  /** It is what the field above reads and is paid for. */
  @Price(0)
  @Field(() => ProductStats, {
    description: "The counters; those last known for a product that was removed.",
  })
  @Shared("PUBLIC")
  stats!: ProductStats;
}
