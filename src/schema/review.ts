/** Reviews of products. */
import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, InputType, Int, ObjectType } from "type-graphql";
import { REVIEW_LIMITS, type ReviewRecord } from "../domain/catalogue/catalogue.js";
import { declareConnection } from "./connection.js";
import { Node } from "./node.js";
import { Shared } from "./scope.js";
import { UserError } from "./user-error.js";

@ObjectType({
  description: "What one customer says about one product.",
  implements: Node,
  simpleResolvers: true,
})
export class Review extends Node {
  @Field(() => String, { description: "Name of the reviewer, as shown to everybody." })
  @Shared("PUBLIC", { cached: true })
  author!: string;

  @Field(() => Int, { description: "Stars: 1 (worst) to 5 (best)." })
  @Shared("PUBLIC", { cached: true })
  rating!: number;

  @Field(() => String, {
    description: "The text: plain, unescaped; escape it before putting it into a page.",
  })
  @Shared("PUBLIC", { cached: true })
  body!: string;

  @Field(() => GraphQLDateTime, { description: "When it was written." })
  @Shared("PUBLIC", { cached: true })
  createdAt!: string;

  /** For resolvers; not a field. */
  record!: ReviewRecord;
}

export const { Connection: ReviewConnection } = declareConnection(
  "Review",
  "reviews",
  () => Review,
);

@InputType({ description: "A review by whoever is signed in." })
export class ReviewInput {
  @Field(() => ID, {
    description:
      "The product. INVALID when it is not the id of a product, NOT_FOUND when there is none " +
      "behind it.",
  })
  productId!: string;

  @Field(() => Int, {
    description:
      `Stars, ${REVIEW_LIMITS.rating.min} (worst) to ${REVIEW_LIMITS.rating.max} (best), ` +
      "otherwise OUT_OF_RANGE.",
  })
  rating!: number;

  @Field(() => String, {
    description:
      `Plain text: not blank, otherwise REQUIRED; at most ${REVIEW_LIMITS.body} characters, ` +
      "otherwise TOO_LONG; a change of direction is closed in its paragraph, otherwise INVALID.",
  })
  body!: string;
}

/** Answer of `addReview`. */
@ObjectType({ description: "What became of a review.", simpleResolvers: true })
export class ReviewPayload {
  @Field(() => Review, {
    nullable: true,
    description: "The review as it is now; null when it was refused.",
  })
  review!: Review | null;

  @Field(() => [UserError], { description: "Why it was refused; empty when it was written." })
  errors!: readonly UserError[];
}
