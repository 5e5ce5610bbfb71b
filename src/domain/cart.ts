/** Carts, as they travel between rooms. */

/** Bounds of a cart. With the highest price, a full cart's total is 2 × 10^15: well below 2^53. */
export const CART_LIMITS = { quantity: { min: 1, max: 999 }, lines: 200 } as const;

/** One product in a cart. */
export interface CartLineRecord {
  readonly productId: number;
  readonly quantity: number;
  /**
   * Price of one piece when the line was last added to or set, in minor units of the shop's
   * currency.
   */
  readonly unitPrice: number;
}

/**
 * A cart as it is kept: what is in it, in the order of adding. Prices and availability are the
 * products' own and read with them.
 */
export interface CartRecord {
  /** Rises with every change, and never goes back while Redis remembers. 0: nobody's. */
  readonly version: number;
  /** When it is empty unless it is used before, in ms since epoch by the Redis clock. */
  readonly expiresMs: number;
  readonly lines: readonly CartLineRecord[];
}

/**
 * What was changed on the way, or has changed since: the cart is not quite what was asked for or
 * last seen.
 */
export const CART_WARNING_CODES = [
  "PRICE_CHANGED",
  "QUANTITY_CLAMPED",
  "PRODUCT_GONE",
  "CART_MOVED",
] as const;

/** A code of {@link CART_WARNING_CODES}. */
export type CartWarningCode = (typeof CART_WARNING_CODES)[number];

/** One such change; `productId` is null where it is not about one product. */
export interface CartWarning {
  readonly code: CartWarningCode;
  readonly message: string;
  readonly productId: number | null;
}
