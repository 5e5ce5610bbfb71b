/** Reviews by customers. The service checks rights and bounds. */
import { Arg, Ctx, Mutation, Resolver } from "type-graphql";
import { requireUser } from "../domain/account/principal.js";
import { decodeIdOf } from "../domain/ids.js";
import { ReviewInput, ReviewPayload } from "../schema/review.js";
import type { Reviews } from "../services/catalogue/reviews.js";
import type { RequestContext } from "./context.js";
import { toReview } from "./review.js";

/** The mutation of reviews. */
@Resolver()
export class ReviewMutations {
  constructor(private readonly reviews: Reviews) {}

  @Mutation(() => ReviewPayload, {
    description:
      "Reviews a product; a second review by the same user takes the place of the first. " +
      "Safe to repeat. Signed in only, otherwise UNAUTHENTICATED.",
  })
  async addReview(
    @Arg("input", () => ReviewInput, { description: "The review." }) {
      productId,
      rating,
      body,
    }: ReviewInput,
    @Ctx() ctx: RequestContext,
  ): Promise<ReviewPayload> {
    requireUser(ctx.principal);
    const key = decodeIdOf("Product", productId);
    if (key === null) {
      return {
        review: null,
        errors: [
          {
            code: "INVALID",
            message: "This is not the id of a product.",
            field: ["input", "productId"],
          },
        ],
      };
    }
    const { review, errors, seen } = await this.reviews.add(ctx.principal, {
      productId: key,
      rating,
      body,
    });
    if (seen) ctx.wrote(seen);
    return { review: review && toReview(review), errors };
  }
}
