/**
 * Reviews: one per product and user. The product's
 * rating, its count and all lists by them are right
 * once this answers.
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
import { type UserError, userError } from "../../domain/errors.js";
import { changeEntry, type PendingEvent } from "../../domain/events/outbox.js";
import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import { checkText, typed } from "../../domain/text.js";
import { scoreEntries } from "../leaderboard/outbox-kind.js";
import { wasActive } from "../leaderboard/shop-feed.js";
import { createWriteWithOutbox, type OutboxWriteDeps } from "../outbox/write-with-outbox.js";

/** `seen` is the consistency token; null when nothing was written. */
export interface ReviewOutcome {
  readonly review: ReviewRecord | null;
  readonly errors: readonly UserError[];
  readonly seen: ConsistencyToken | null;
}

export interface Reviews {
  /**
   * Writes the caller's review of a product, or replaces
   * it. Throws Unauthenticated.
   */
  add(principal: Principal, draft: ReviewDraft): Promise<ReviewOutcome>;
}

export interface ReviewsDeps extends OutboxWriteDeps {
  readonly products: Pick<ProductTable, "rate">;
  readonly reviews: Pick<ReviewTable, "put">;
}

export function createReviews({ products, reviews, ...parts }: ReviewsDeps): Reviews {
  const write = createWriteWithOutbox(parts);
  return {
    async add(principal, input) {
      const { userId } = requireUser(principal);
      const draft = { ...input, body: typed(input.body) };
      const errors = [checkRating(draft.rating), checkText(BODY, draft.body)].filter(
        (error) => error !== null,
      );
      if (errors.length > 0) return { ...NOT_REVIEWED, errors };
      const { decision, seen } = await write<ReviewRecord | UserError>(async (tx) => {
        const rated = await products.rate(tx, draft.productId, () =>
          reviews.put(tx, userId, draft),
        );
        if (typeof rated === "string") return { decision: UNREVIEWABLE[rated], owes: [] };
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
      return "code" in decision
        ? { ...NOT_REVIEWED, errors: [decision] }
        : { review: decision, errors: [], seen };
    },
  };
}

const NOT_REVIEWED = { review: null, seen: null };

const UNREVIEWABLE = {
  missing: userError("NOT_FOUND", ["input", "productId"], "There is no product with this id."),
  removed: userError(
    "PRODUCT_REMOVED",
    ["input", "productId"],
    "The product was removed from the shop.",
  ),
} as const;

function checkRating(rating: number): UserError | null {
  const { min, max } = REVIEW_LIMITS.rating;
  return Number.isInteger(rating) && rating >= min && rating <= max
    ? null
    : userError(
        "OUT_OF_RANGE",
        ["input", "rating"],
        `rating is ${rating}; it must be a whole number from ${min} to ${max}.`,
      );
}

const BODY = { field: "body", kind: "body", max: REVIEW_LIMITS.body } as const;
