/** Types of the seeded categories. */

/** Words of a category's products. */
export interface Assortment {
  /** Prefix of every sku. */
  readonly code: string;
  /** Lowest and highest usual price, in minor units. */
  readonly price: readonly [number, number];
  readonly kinds: readonly string[];
  readonly things: readonly string[];
  /** Sentences that are true of anything here. */
  readonly facts: readonly string[];
}

/** A category: with children, or with products. */
export interface Branch {
  readonly name: string;
  readonly sells?: Assortment;
  readonly children?: readonly Branch[];
}

/** A category that holds products. */
export const leaf = (
  name: string,
  code: string,
  price: readonly [number, number],
  words: Pick<Assortment, "kinds" | "things" | "facts">,
): Branch => ({
  name,
  sells: { code, price, ...words },
});
