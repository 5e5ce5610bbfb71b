/** The caller's remaining rate limit. */
import { Field, Float, Int, ObjectType } from "type-graphql";

/** One bucket of the caller. */
@ObjectType("RateLimitStatus", {
  description:
    "One of the buckets that the caller's operations are charged to, as this operation left it.",
  simpleResolvers: true,
})
export class RateLimitStatus {
  @Field(() => String, {
    description:
      "What the bucket belongs to: `viewer`, `address` (of whoever is not signed in), " +
      "`service`, `block` (everybody in the same /24 or /64), or a kind of operation that is " +
      "counted by itself: `signIn`, `checkout`.",
  })
  bucket!: string;

  @Field(() => Int, {
    description:
      "What it holds when it is full, in units of cost; in operations where it counts those.",
  })
  limit!: number;

  @Field(() => Int, { description: "What it holds now." })
  remaining!: number;

  @Field(() => Float, { description: "What it is filled with in a second." })
  restorePerSecond!: number;

  @Field(() => Date, { description: "When it is full if nothing is asked until then." })
  resetAt!: Date;
}
