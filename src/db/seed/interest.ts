/**
 * Views, shares and likes of seeded products, from before the
 * shop opened. Popular and older products have more.
 */
import { EXACT_VIEWERS, type KnownViewer, POPULARITY_WEIGHTS } from "../../domain/counters.js";
import { randomAt } from "./random.js";

/** The interest in one product. */
export interface InterestRow {
  readonly productId: number;
  readonly views: number;
  readonly shares: number;
  readonly viewers: readonly KnownViewer[];
}

/** All on one old day: days within the reports stay empty. */
const DAY_OF_SEED = 0;
const NAME_LENGTH = 11;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * The interest in a product with so many reviews: reviewers
 * have viewed it, and most viewers write nothing.
 */
export function interestIn(seed: number, productId: number, reviews: number): InterestRow {
  const random = randomAt(seed, "interest", productId);
  const people = Math.min(
    EXACT_VIEWERS,
    random.between(0, 3) + Math.round(reviews * (1.5 + random.next())),
  );
  const viewers = Array.from({ length: people }, () => ({
    viewer: Array.from(
      { length: NAME_LENGTH },
      () => LETTERS[random.between(0, LETTERS.length - 1)],
    ).join(""),
    day: DAY_OF_SEED,
  }));
  const views =
    people + Array.from(viewers, () => random.between(0, 2)).reduce((sum, more) => sum + more, 0);
  return { productId, views, shares: Math.floor((people / 8) * random.next()), viewers };
}

/**
 * Popularity as db/counters/popularity.ts computes it, for
 * numbers that small.
 */
export const popularityOf = ({ views, shares }: InterestRow): number =>
  views + POPULARITY_WEIGHTS.shares * shares;
