/**
 * Prices that fields declare; the transport charges
 * operations by them.
 */

/** How long a list can be. */
export interface ListLength {
  /** The longest list there is. */
  readonly most: number;
  /**
   * The argument that gives the length: a number, or a list
   * of as many. Without it the longest is assumed.
   */
  readonly by?: string;
  /** A list of `times` × the argument + `plus`; 1 and 0 by default. */
  readonly times?: number;
  readonly plus?: number;
}

/** Work that the length of the answer does not show. */
export interface Work {
  /** Units of cost. */
  readonly price: number;
  /**
   * The argument that asks for it, as a path such as
   * `filter.text`. A number or a list multiplies the price;
   * any other value costs it once; null and blank cost
   * nothing. Without `by` the field always does this work.
   */
  readonly by?: string;
  /** The largest number or longest list that is not refused. */
  readonly most?: number;
  /** How many of the argument one price pays for; 1 by default. */
  readonly per?: number;
}
