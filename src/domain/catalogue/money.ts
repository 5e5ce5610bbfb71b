/**
 * Currencies of shops (ISO 4217). A shop sells in exactly
 * one: `SHOP_CURRENCY`.
 */
export const CURRENCY_CODES = ["USD", "EUR", "GBP", "JPY", "INR", "CHF"] as const;

/** An ISO 4217 code of {@link CURRENCY_CODES}. */
export type CurrencyCode = (typeof CURRENCY_CODES)[number];

/**
 * An amount in integer minor units (cents, pence; whole yen)
 * of one currency.
 */
export interface Money {
  readonly amount: number;
  readonly currency: CurrencyCode;
}

/**
 * Highest price of a product, in minor units. Ten digits keep
 * every cart total far below 2^53.
 */
export const MAX_PRICE = 9_999_999_999;

/** Highest stock of a product: what a Postgres `integer` holds. */
export const MAX_STOCK = 2_147_483_647;
