/**
 * Reads that begin before the caller of a query is confirmed.
 * They leave in one write with the look-up of the session. They
 * are for the user that the token had at its last look-up. For
 * another caller they are not used.
 */
import type { CartAhead } from "../services/cart/carts.js";

/**
 * By field of `Query`. Subjects add theirs by declaration
 * merging.
 */
export interface ReadsAhead {
  readonly cart?: CartAhead;
}

/** Begins them, for a user's id. */
export type BeginReads = {
  readonly [Field in keyof ReadsAhead]: (userId: number) => NonNullable<ReadsAhead[Field]>;
};
