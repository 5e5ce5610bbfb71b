/** Carts. */

/**
 * Bounds of a cart. At the highest price, a full cart costs 2
 * × 10^15: well below 2^53.
 */
export const CART_LIMITS = { quantity: { min: 1, max: 999 }, lines: 200 } as const;

export interface CartLineRecord {
  readonly productId: number;
  readonly quantity: number;
  /**
   * Price of one piece at the last change of the line, in minor
   * units.
   */
  readonly unitPrice: number;
}

/**
 * A cart as it is stored, in the order of adding. Prices and
 * availability are read with the products.
 */
export interface CartRecord {
  /**
   * Rises with every change, and never goes back while Redis
   * remembers. 0: without an owner.
   */
  readonly version: number;
  /**
   * When it expires without further use, in ms since epoch by
   * the Redis clock.
   */
  readonly expiresMs: number;
  readonly lines: readonly CartLineRecord[];
}

/** The cart differs from what was asked for or last seen. */
export const CART_WARNING_CODES = [
  "PRICE_CHANGED",
  "QUANTITY_CLAMPED",
  "PRODUCT_GONE",
  "CART_MOVED",
] as const;

/** A code of {@link CART_WARNING_CODES}. */
export type CartWarningCode = (typeof CART_WARNING_CODES)[number];

/** `productId` is null where the warning is not about one product. */
export interface CartWarning {
  readonly code: CartWarningCode;
  readonly message: string;
  readonly productId: number | null;
}
