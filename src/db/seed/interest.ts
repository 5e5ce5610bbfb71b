/**
 * What people did with a seeded product before the shop opened to us: the better liked and the
 * longer on sale, the more.
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

/**
 * Everybody came on the day that the seed pretends to be: days that can still be asked for have
 * nobody.
 */
const DAY_OF_SEED = 0;
const NAME_LENGTH = 11;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * Makes the interest in a product that has so many reviews: who reviews has looked, and most who
 * look write nothing.
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

/** What POPULAR sorts it by; as db/counters/popularity.ts computes it, for numbers that small. */
export const popularityOf = ({ views, shares }: InterestRow): number =>
  views + POPULARITY_WEIGHTS.shares * shares;
