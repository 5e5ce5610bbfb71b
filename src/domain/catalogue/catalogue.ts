/**
 * Shapes of the catalogue, as they are cached: JSON-safe,
 * immutable, dates as ISO 8601 strings.
 */

import type { PageRequest } from "../page.js";

export const PRODUCT_SORTS = ["NEWEST", "PRICE_ASC", "PRICE_DESC", "RATING", "POPULAR"] as const;

/**
 * Order of a listing. `NEWEST` is by creation, `POPULAR` by
 * views, likes and shares. Ties break by id, newest first.
 */
export type ProductSort = (typeof PRODUCT_SORTS)[number];

/**
 * A product. `version` rises by one with every change,
 * removal included, and never goes back.
 */
export interface ProductRecord {
  readonly id: number;
  readonly version: number;
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly brandId: number;
  readonly categoryId: number;
  /** Minor units of the shop's currency. */
  readonly price: number;
  readonly stock: number;
  readonly ratingSum: number;
  readonly ratingCount: number;
  readonly removed: boolean;
  readonly updatedAt: string;
}

/**
 * A category. `path` holds the ids from the root down to the
 * category itself.
 */
export interface CategoryRecord {
  readonly id: number;
  readonly name: string;
  readonly slug: string;
  readonly parentId: number | null;
  readonly path: readonly number[];
}

/** A brand. */
export interface BrandRecord {
  readonly id: number;
  readonly name: string;
}

/** A review of a product. `rating` is 1..5. */
export interface ReviewRecord {
  readonly id: number;
  readonly productId: number;
  readonly author: string;
  readonly rating: number;
  readonly body: string;
  readonly createdAt: string;
}

/**
 * Filter of a listing. A category includes its descendants;
 * `text` is a full-text prefix search.
 */
export interface ProductFilter {
  readonly categoryId?: number;
  readonly brandId?: number;
  /** Minor units, inclusive. */
  readonly minPrice?: number;
  /** Minor units, inclusive. */
  readonly maxPrice?: number;
  readonly inStock?: boolean;
  readonly text?: string;
}

/** What an admin sets on a product; `sku` says which one. */
export interface ProductDraft {
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly brandId: number;
  readonly categoryId: number;
  readonly price: number;
  readonly stock: number;
}

/** Longest texts of the catalogue, in characters. */
export const PRODUCT_LIMITS = {
  sku: 64,
  name: 200,
  description: 10_000,
  brand: 100,
  category: 100,
} as const;

export interface ReviewDraft {
  readonly productId: number;
  readonly rating: number;
  readonly body: string;
}

/** Bounds of a review: stars, and characters of text. */
export const REVIEW_LIMITS = { rating: { min: 1, max: 5 }, body: 5_000 } as const;

/** A product together with the path of its category. */
export interface PlacedProduct {
  readonly product: ProductRecord;
  readonly categoryPath: readonly number[];
}

/**
 * A page of a listing. `Position.value` is what the sort
 * orders by: id, price, rating in thousandths, or popularity.
 */
export interface ListingRequest {
  readonly filter: ProductFilter;
  readonly sort: ProductSort;
  readonly page: PageRequest;
}
