/**
 * The cache regions of the catalogue: the key of each value, and
 * the tags that invalidate it.
 */
import type { ListingRequest, ProductFilter } from "../domain/catalogue/catalogue.js";
import {
  BRANDS_TAG,
  brandTag,
  CATALOGUE_TAG,
  CATEGORIES_TAG,
  categoryTag,
  likesTag,
  productTag,
  reviewsTag,
  reviewTag,
  tagsOfListing,
} from "../domain/catalogue/tags.js";
import { sha256 } from "../domain/hash.js";
import type { PageRequest } from "../domain/page.js";
import type { CacheRegion } from "../redis/cache/cache.js";

/** A page of a product's reviews. */
export interface ReviewPageKey {
  readonly productId: number;
  readonly page: PageRequest;
}

/** A page of brands; `text` is a prefix of the name. */
export interface BrandPageKey {
  readonly text?: string;
  readonly page: PageRequest;
}

export const productRegion: CacheRegion<number> = {
  name: "product",
  cacheKeyOf: String,
  tagsOf: (id) => [CATALOGUE_TAG, productTag(id)],
};
export const categoryRegion: CacheRegion<number> = {
  name: "category",
  cacheKeyOf: String,
  tagsOf: (id) => [CATALOGUE_TAG, categoryTag(id)],
};
export const brandRegion: CacheRegion<number> = {
  name: "brand",
  cacheKeyOf: String,
  tagsOf: (id) => [CATALOGUE_TAG, brandTag(id)],
};
export const reviewRegion: CacheRegion<number> = {
  name: "review",
  cacheKeyOf: String,
  tagsOf: (id) => [CATALOGUE_TAG, reviewTag(id)],
};

/**
 * Pages and counts hold only ids and numbers: no list serves a
 * stale entity.
 */
export const productPageRegion: CacheRegion<ListingRequest> = {
  name: "products",
  cacheKeyOf: ({ filter, sort, page }) => `${sort}:${pageName(page)}:${filterName(filter)}`,
  tagsOf: ({ filter, sort }) => tagsOfListing(filter, sort),
};
export const productCountRegion: CacheRegion<ProductFilter> = {
  name: "product-count",
  cacheKeyOf: filterName,
  tagsOf: (filter) => tagsOfListing(filter, null),
};
export const reviewPageRegion: CacheRegion<ReviewPageKey> = {
  name: "reviews",
  cacheKeyOf: ({ productId, page }) => `${productId}:${pageName(page)}`,
  tagsOf: ({ productId }) => [CATALOGUE_TAG, reviewsTag(productId)],
};
export const reviewCountRegion: CacheRegion<number> = {
  name: "review-count",
  cacheKeyOf: String,
  tagsOf: (productId) => [CATALOGUE_TAG, reviewsTag(productId)],
};
export const likesRegion: CacheRegion<number> = {
  name: "likes",
  cacheKeyOf: String,
  tagsOf: (productId) => [likesTag(productId)],
};
export const brandPageRegion: CacheRegion<BrandPageKey> = {
  name: "brands",
  cacheKeyOf: ({ text, page }) => `${pageName(page)}:${wordName(text)}`,
  tagsOf: () => [CATALOGUE_TAG, BRANDS_TAG],
};
export const brandCountRegion: CacheRegion<string> = {
  name: "brand-count",
  cacheKeyOf: wordName,
  tagsOf: () => [CATALOGUE_TAG, BRANDS_TAG],
};
export const categoryIdsRegion: CacheRegion<"all"> = {
  name: "categories",
  cacheKeyOf: String,
  tagsOf: () => [CATALOGUE_TAG, CATEGORIES_TAG],
};
export const childCategoryIdsRegion: CacheRegion<number> = {
  name: "category-children",
  cacheKeyOf: String,
  tagsOf: () => [CATALOGUE_TAG, CATEGORIES_TAG],
};

function pageName({ limit, after }: PageRequest): string {
  if (!after) return `${limit}`;
  const value = typeof after.value === "string" ? wordName(after.value) : after.value;
  return `${limit}:${value}:${after.id}`;
}

function filterName({
  categoryId,
  brandId,
  minPrice,
  maxPrice,
  inStock,
  text,
}: ProductFilter): string {
  const stock = inStock === undefined ? undefined : Number(inStock);
  const parts = [categoryId, brandId, minPrice, maxPrice, stock].map((part) => part ?? "");
  return `${parts.join(":")}:${wordName(text)}`;
}

/** A client's words never enter a key: any length, any character. */
function wordName(text: string | undefined): string {
  return text === undefined || text === "" ? "" : sha256(text, "base64url");
}
