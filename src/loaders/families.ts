/**
 * What the catalogue keeps in the cache: how each kind of thing is named there, and which tags end
 * it.
 */
import { createHash } from "node:crypto";
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
import type { PageRequest } from "../domain/page.js";
import type { Family } from "../redis/cache/cache.js";

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

export const productFamily: Family<number> = {
  name: "product",
  nameOf: String,
  tagsOf: (id) => [CATALOGUE_TAG, productTag(id)],
};
export const categoryFamily: Family<number> = {
  name: "category",
  nameOf: String,
  tagsOf: (id) => [CATALOGUE_TAG, categoryTag(id)],
};
export const brandFamily: Family<number> = {
  name: "brand",
  nameOf: String,
  tagsOf: (id) => [CATALOGUE_TAG, brandTag(id)],
};
export const reviewFamily: Family<number> = {
  name: "review",
  nameOf: String,
  tagsOf: (id) => [CATALOGUE_TAG, reviewTag(id)],
};

/** Pages and counts hold ids and numbers only, so that no list ever serves a stale entity. */
export const productPageFamily: Family<ListingRequest> = {
  name: "products",
  nameOf: ({ filter, sort, page }) => `${sort}:${pageName(page)}:${filterName(filter)}`,
  tagsOf: ({ filter, sort }) => tagsOfListing(filter, sort),
};
export const productCountFamily: Family<ProductFilter> = {
  name: "product-count",
  nameOf: filterName,
  tagsOf: (filter) => tagsOfListing(filter, null),
};
export const reviewPageFamily: Family<ReviewPageKey> = {
  name: "reviews",
  nameOf: ({ productId, page }) => `${productId}:${pageName(page)}`,
  tagsOf: ({ productId }) => [CATALOGUE_TAG, reviewsTag(productId)],
};
export const reviewCountFamily: Family<number> = {
  name: "review-count",
  nameOf: String,
  tagsOf: (productId) => [CATALOGUE_TAG, reviewsTag(productId)],
};
export const likesFamily: Family<number> = {
  name: "likes",
  nameOf: String,
  tagsOf: (productId) => [likesTag(productId)],
};
export const brandPageFamily: Family<BrandPageKey> = {
  name: "brands",
  nameOf: ({ text, page }) => `${pageName(page)}:${wordName(text)}`,
  tagsOf: () => [CATALOGUE_TAG, BRANDS_TAG],
};
export const brandCountFamily: Family<string> = {
  name: "brand-count",
  nameOf: wordName,
  tagsOf: () => [CATALOGUE_TAG, BRANDS_TAG],
};
export const categoryIdsFamily: Family<"all"> = {
  name: "categories",
  nameOf: String,
  tagsOf: () => [CATALOGUE_TAG, CATEGORIES_TAG],
};
export const childCategoryIdsFamily: Family<number> = {
  name: "category-children",
  nameOf: String,
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
  return text === undefined || text === ""
    ? ""
    : createHash("sha256").update(text).digest("base64url");
}
