/**
 * Reviewing: one review per product and user. The product's rating, its count and every list they
 * order are right once this answers.
 */
import type { ProductTable } from "../../db/catalogue/products.js";
import type { ReviewTable } from "../../db/catalogue/reviews.js";
import { type Principal, requireUser } from "../../domain/account/principal.js";
import {
  REVIEW_LIMITS,
  type ReviewDraft,
  type ReviewRecord,
} from "../../domain/catalogue/catalogue.js";
import { reviewsTag, reviewTag, tagsOfProductChange } from "../../domain/catalogue/tags.js";
import type { UserError, UserErrorCode } from "../../domain/errors.js";
import { changeEntry, type PendingEvent } from "../../domain/events/outbox.js";
import type { Seen } from "../../domain/seen.js";
import { checkText, typed } from "../../domain/text.js";
import { scoreEntries } from "../leaderboard/score-kind.js";
import { wasActive } from "../leaderboard/shop-boards.js";
import { createWriteWithOutbox, type OutboxWriteDeps } from "../outbox/write-with-outbox.js";

/** What became of a review. `seen` is the consistency token; null when nothing was written. */
export interface ReviewOutcome {
  readonly review: ReviewRecord | null;
  readonly errors: readonly UserError[];
  readonly seen: Seen | null;
}

/** Writes reviews. */
export interface Reviews {
  /**
   * Writes the caller's review of a product; one that is there already becomes this. Throws
   * Unauthenticated.
   */
  add(principal: Principal, draft: ReviewDraft): Promise<ReviewOutcome>;
}

/** What writing reviews takes. */
export interface ReviewsParts extends OutboxWriteDeps {
  readonly products: Pick<ProductTable, "rate">;
  readonly reviews: Pick<ReviewTable, "put">;
}

export function createReviews({ products, reviews, ...parts }: ReviewsParts): Reviews {
  const write = createWriteWithOutbox(parts);
  return {
    async add(principal, input) {
      const { userId } = requireUser(principal);
      const draft = { ...input, body: typed(input.body) };
      const errors = [checkRating(draft.rating), checkText(BODY, draft.body)].filter(
        (error) => error !== null,
      );
      if (errors.length > 0) return refusal(errors);
      const { decision, seen } = await write<ReviewRecord | UserError>(async (tx) => {
        const rated = await products.rate(tx, draft.productId, () =>
          reviews.put(tx, userId, draft),
        );
        if (typeof rated === "string") return { decision: GONE[rated], owes: [] };
        const { before, after, by } = rated;
        const { id, version } = after.product;
        const isRated = before.product.version !== version;
        const tags = [
          reviewTag(by.review.id),
          ...(by.count > 0 ? [reviewsTag(id)] : []),
          ...(isRated ? tagsOfProductChange(before, after) : []),
        ];
        const events: PendingEvent[] = isRated
          ? [{ topic: { kind: "productChanged", id }, version }]
          : [];
        const scores = by.count > 0 ? wasActive(userId, `review:${by.review.id}`) : [];
        return {
          decision: by.review,
          owes: [changeEntry({ tags, events }), ...scoreEntries(scores)],
        };
      });
      return "code" in decision ? refusal([decision]) : { review: decision, errors: [], seen };
    },
  };
}

const refusal = (errors: readonly UserError[]): ReviewOutcome => ({
  review: null,
  errors,
  seen: null,
});
const wrong = (code: UserErrorCode, field: string, message: string): UserError => ({
  code,
  message,
  field: ["input", field],
});

const GONE = {
  missing: wrong("NOT_FOUND", "productId", "There is no product with this id."),
  removed: wrong("PRODUCT_REMOVED", "productId", "The product was removed from the shop."),
} as const;

function checkRating(rating: number): UserError | null {
  const { min, max } = REVIEW_LIMITS.rating;
  return Number.isInteger(rating) && rating >= min && rating <= max
    ? null
    : wrong(
        "OUT_OF_RANGE",
        "rating",
        `rating is ${rating}; it must be a whole number from ${min} to ${max}.`,
      );
}

const BODY = { field: "body", kind: "body", max: REVIEW_LIMITS.body } as const;
