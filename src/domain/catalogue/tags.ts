/**
 * Cache tags of the catalogue: what an entry depends on, and
 * what a change touches. Both stand here because they are one
 * rule. A list carries the tags of its scope, its filters and
 * its sort. A change names the scopes of the row, before and
 * after. It also names the properties that differ. So a
 * change shares a tag with every list that it can alter.
 * Lists of other categories and brands share none.
 *
 * A tag is a plain word; redis/client/keys.ts makes it a key.
 */
import type { PlacedProduct, ProductFilter, ProductRecord, ProductSort } from "./catalogue.js";

/**
 * Tag of everything read from the catalogue: an import ends
 * all of it at once.
 */
export const CATALOGUE_TAG = "catalogue";
/** The category tree as a whole. */
export const CATEGORIES_TAG = "categories";
/** Every list of brands. */
export const BRANDS_TAG = "brands";

export const productTag = (id: number): string => `product:${id}`;
export const categoryTag = (id: number): string => `category:${id}`;
export const brandTag = (id: number): string => `brand:${id}`;
export const reviewTag = (id: number): string => `review:${id}`;
export const reviewsTag = (productId: number): string => `reviews:${productId}`;
/** The number of a product's likes. */
export const likesTag = (productId: number): string => `likes:${productId}`;

/**
 * Every list sorted by popularity. It follows counters, each
 * minute, and moves rows of all scopes.
 */
export const POPULARITY_TAG = "lists:popularity";

/** The scope of a list, before range, text and stock filters. */
interface ListScope {
  readonly categoryId?: number | undefined;
  readonly brandId?: number | undefined;
}

/** What a list sorts or filters by, beyond its scope. */
type Aspect = "price" | "rating" | "stock" | "text";

const scopeName = ({ categoryId, brandId }: ListScope): string =>
  `c${categoryId ?? "*"}:b${brandId ?? "*"}`;
/** Bumped when a row enters or leaves the scope. */
const membersTag = (scope: ListScope): string => `list:${scopeName(scope)}`;
/** Bumped when the order of a scope's rows by this property changes. */
const orderTag = (scope: ListScope, aspect: Aspect): string => `list:${scopeName(scope)}:${aspect}`;
/**
 * Coarse: one tag for all lists that filter by this property,
 * in any scope.
 */
const filterTag = (aspect: Aspect): string => `lists:${aspect}`;

const SORT_ASPECT: Record<ProductSort, Aspect | null> = {
  NEWEST: null,
  PRICE_ASC: "price",
  PRICE_DESC: "price",
  RATING: "rating",
  POPULAR: null,
};

/**
 * Tags of a page of this listing. A count of the listing
 * passes `sort: null`.
 */
export function tagsOfListing(filter: ProductFilter, sort: ProductSort | null): string[] {
  const scope = { categoryId: filter.categoryId, brandId: filter.brandId };
  const tags = [CATALOGUE_TAG, membersTag(scope)];
  const order = sort && SORT_ASPECT[sort];
  if (order) tags.push(orderTag(scope, order));
  if (sort === "POPULAR") tags.push(POPULARITY_TAG);
  if (filter.minPrice !== undefined || filter.maxPrice !== undefined) tags.push(filterTag("price"));
  if (filter.inStock !== undefined) tags.push(filterTag("stock"));
  if (filter.text !== undefined) tags.push(filterTag("text"));
  return tags;
}

/**
 * Tags that a change of one product touches. Creation has no
 * `before`; a removed row is in no list. Cost: O(depth of the
 * category tree), never O(lists).
 */
export function tagsOfProductChange(before: PlacedProduct | null, after: PlacedProduct): string[] {
  const was = before && !before.product.removed ? before : null;
  const is = after.product.removed ? null : after;
  const scopesBefore = scopesOf(was);
  const scopesAfter = scopesOf(is);
  const left = [...scopesBefore].filter(([name]) => !scopesAfter.has(name));
  const entered = [...scopesAfter].filter(([name]) => !scopesBefore.has(name));
  const stayed = [...scopesAfter].filter(([name]) => scopesBefore.has(name));
  const changed = was && is ? changedAspects(was.product, is.product) : [];
  return [
    productTag(after.product.id),
    ...[...left, ...entered].map(([, scope]) => membersTag(scope)),
    ...changed
      .filter(isOrder)
      .flatMap((aspect) => stayed.map(([, scope]) => orderTag(scope, aspect))),
    ...changed.filter(isFilter).map(filterTag),
  ];
}

const isOrder = (aspect: Aspect): boolean => Object.values(SORT_ASPECT).includes(aspect);
const isFilter = (aspect: Aspect): boolean =>
  aspect === "price" || aspect === "stock" || aspect === "text";

/**
 * Every scope with a product: each of its categories up to
 * the root or any, with its brand or any.
 */
function scopesOf(placed: PlacedProduct | null): Map<string, ListScope> {
  if (!placed) return new Map();
  const brands = [undefined, placed.product.brandId];
  const scopes = [undefined, ...placed.categoryPath].flatMap((categoryId) =>
    brands.map((brandId) => ({ categoryId, brandId })),
  );
  return new Map(scopes.map((scope) => [scopeName(scope), scope]));
}

function changedAspects(was: ProductRecord, is: ProductRecord): Aspect[] {
  const differs: Record<Aspect, boolean> = {
    price: was.price !== is.price,
    rating:
      was.ratingSum * is.ratingCount !== is.ratingSum * was.ratingCount ||
      was.ratingCount !== is.ratingCount,
    stock: was.stock > 0 !== is.stock > 0,
    text: was.name !== is.name || was.description !== is.description || was.sku !== is.sku,
  };
  return (Object.keys(differs) as Aspect[]).filter((aspect) => differs[aspect]);
}
