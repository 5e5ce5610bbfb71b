/**
 * What a client may still ask for. Instants are on the Redis
 * clock, which all processes share.
 */
import { Ctx, Query, Resolver } from "type-graphql";
import { type BucketStatus, OPERATION_CLASSES } from "../domain/limits.js";
import type { Clock } from "../domain/time/clock.js";
import { ListSize } from "../schema/price.js";
import { RateLimitStatus } from "../schema/rate-limit.js";
import type { RequestContext } from "./context.js";

/** `Query.rateLimit`. */
@Resolver()
export class RateLimitResolver {
  constructor(private readonly clock: Clock) {}

  @ListSize({ most: 2 + OPERATION_CLASSES.length })
  @Query(() => [RateLimitStatus], {
    complexity: 0,
    description:
      "How much the caller may still ask for, by the buckets that this operation was charged " +
      "to. Costs nothing beside the 1 of its operation.",
  })
  rateLimit(@Ctx() { buckets }: RequestContext): RateLimitStatus[] {
    return buckets.map((bucket) => toStatus(bucket, this.clock.nowMs()));
  }
}

function toStatus(
  { bucket, limit, remaining, restorePerSecond, resetInMs }: BucketStatus,
  nowMs: number,
): RateLimitStatus {
  return {
    bucket,
    limit: Math.floor(limit),
    remaining,
    restorePerSecond,
    resetAt: new Date(nowMs + resetInMs),
  };
}
