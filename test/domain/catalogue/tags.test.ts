/**
 * Tags of the catalogue: a change shares a tag with every listing it alters, and with none that it
 * does not concern.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
  PlacedProduct,
  ProductFilter,
  ProductSort,
} from "../../../src/domain/catalogue/catalogue.js";
import { PRODUCT_SORTS } from "../../../src/domain/catalogue/catalogue.js";
import {
  CATALOGUE_TAG,
  productTag,
  tagsOfListing,
  tagsOfProductChange,
} from "../../../src/domain/catalogue/tags.js";

/** Two roots; 3 and 4 below 1, 5 below 3. */
const PATHS = [[1], [2], [1, 3], [1, 4], [1, 3, 5]];
const BRANDS = [1, 2];

interface Listing {
  readonly filter: ProductFilter;
  readonly sort: ProductSort | null;
  readonly limit: number;
  readonly after: { readonly value: number; readonly id: number } | null;
}

const placed = (id: number): fc.Arbitrary<PlacedProduct> =>
  fc
    .record({
      path: fc.constantFrom(...PATHS),
      brandId: fc.constantFrom(...BRANDS),
      price: fc.integer({ min: 0, max: 3 }),
      stock: fc.integer({ min: 0, max: 2 }),
      ratingCount: fc.integer({ min: 0, max: 3 }),
      rating: fc.integer({ min: 1, max: 5 }),
      name: fc.constantFrom("red chair", "blue chair", "red lamp"),
      description: fc.constantFrom("soft", "hard"),
      removed: fc.boolean(),
    })
    .map(({ path, ratingCount, rating, ...rest }) => ({
      categoryPath: path,
      product: {
        ...rest,
        id,
        version: 1,
        sku: `sku-${id}`,
        categoryId: path.at(-1) ?? 0,
        ratingCount,
        ratingSum: ratingCount * rating,
        updatedAt: "2026-01-01T00:00:00.000Z",
      },
    }));

const optional = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined }).map((some) => (some === undefined ? {} : { [name]: some }));
const price = fc.integer({ min: 0, max: 3 });
const listing: fc.Arbitrary<Listing> = fc
  .tuple(
    optional("categoryId", fc.constantFrom(1, 2, 3, 4, 5)),
    optional("brandId", fc.constantFrom(...BRANDS)),
    optional("minPrice", price),
    optional("maxPrice", price),
    optional("inStock", fc.boolean()),
    optional("text", fc.constantFrom("red", "lamp", "soft", "sku-1")),
    fc.constantFrom<(ProductSort | null)[]>(...PRODUCT_SORTS, null),
    fc.integer({ min: 1, max: 4 }),
    fc.option(
      fc.record({ value: fc.integer({ min: 0, max: 4 }), id: fc.integer({ min: 1, max: 5 }) }),
    ),
  )
  .map(([category, brand, min, max, stock, text, sort, limit, after]) => ({
    filter: { ...category, ...brand, ...min, ...max, ...stock, ...text },
    sort,
    limit,
    after,
  }));

/** Five rows; the first changes from `before` (null: is created) to `after`. */
const change = fc.record({
  before: fc.option(placed(1)),
  after: placed(1),
  others: fc.tuple(placed(2), placed(3), placed(4), placed(5)),
});

const SORT_VALUE: Record<ProductSort, (placed: PlacedProduct) => number> = {
  NEWEST: ({ product }) => product.id,
  PRICE_ASC: ({ product }) => product.price,
  PRICE_DESC: ({ product }) => product.price,
  RATING: ({ product }) =>
    product.ratingCount === 0 ? 0 : Math.round((1_000 * product.ratingSum) / product.ratingCount),
  // Counters are no part of the product: no change of it moves it among the popular ones.
  POPULAR: () => 0,
};

function matches({ product, categoryPath }: PlacedProduct, filter: ProductFilter): boolean {
  return (
    !product.removed &&
    (filter.categoryId === undefined || categoryPath.includes(filter.categoryId)) &&
    (filter.brandId === undefined || product.brandId === filter.brandId) &&
    (filter.minPrice === undefined || product.price >= filter.minPrice) &&
    (filter.maxPrice === undefined || product.price <= filter.maxPrice) &&
    (filter.inStock === undefined || product.stock > 0 === filter.inStock) &&
    (filter.text === undefined ||
      `${product.name} ${product.description} ${product.sku}`.includes(filter.text))
  );
}

/** The page a listing shows, the slow and obvious way; without a sort, the count. */
function show(rows: readonly PlacedProduct[], { filter, sort, limit, after }: Listing): unknown {
  const found = rows.filter((row) => matches(row, filter));
  if (sort === null) return found.length;
  const direction = sort === "PRICE_ASC" ? 1 : -1;
  const positions = found
    .map((row) => ({ value: SORT_VALUE[sort](row), id: row.product.id }))
    .sort((a, b) => direction * (a.value - b.value) || b.id - a.id)
    .filter(
      (row) =>
        !after ||
        direction * (row.value - after.value) > 0 ||
        (row.value === after.value && row.id < after.id),
    );
  return { rows: positions.slice(0, limit), hasNextPage: positions.length > limit };
}

const shared = (a: readonly string[], b: readonly string[]): string[] =>
  a.filter((tag) => b.includes(tag));
const RUNS = { numRuns: 20_000, seed: 1 };

describe("tags of a product's change", () => {
  it("The tags of a change are shared with every listing whose page or count it alters.", () => {
    fc.assert(
      fc.property(change, listing, ({ before, after, others }, list) => {
        const pageBefore = show([...(before ? [before] : []), ...others], list);
        const pageAfter = show([after, ...others], list);
        const tags = shared(
          tagsOfListing(list.filter, list.sort),
          tagsOfProductChange(before, after),
        );
        return JSON.stringify(pageBefore) === JSON.stringify(pageAfter) || tags.length > 0;
      }),
      RUNS,
    );
  });

  it("The tags of a change are not shared with plain listings of other categories and brands.", () => {
    fc.assert(
      fc.property(
        change,
        listing,
        ({ before, after }, { filter: { categoryId, brandId }, sort }) => {
          const rows = before ? [before, after] : [after];
          const concerns = rows.some((row) =>
            matches(
              { ...row, product: { ...row.product, removed: false } },
              { ...(categoryId && { categoryId }), ...(brandId && { brandId }) },
            ),
          );
          const tags = tagsOfListing(
            { ...(categoryId && { categoryId }), ...(brandId && { brandId }) },
            sort,
          );
          return concerns || shared(tags, tagsOfProductChange(before, after)).length === 0;
        },
      ),
      RUNS,
    );
  });

  it("The tags of a change are not shared with listings that neither filter nor sort by what differs.", () => {
    fc.assert(
      fc.property(placed(1), placed(1), listing, (before, other, { filter, sort }) => {
        // The row stays where it is; only what the listing does not name is another.
        const named = {
          price:
            sort === "PRICE_ASC" ||
            sort === "PRICE_DESC" ||
            filter.minPrice !== undefined ||
            filter.maxPrice !== undefined,
          rating: sort === "RATING",
          stock: filter.inStock !== undefined,
          text: filter.text !== undefined,
        };
        const { price, stock, ratingSum, ratingCount, name, description } = other.product;
        const product = {
          ...before.product,
          removed: false,
          ...(named.price ? {} : { price }),
          ...(named.stock ? {} : { stock }),
          ...(named.rating ? {} : { ratingSum, ratingCount }),
          ...(named.text ? {} : { name, description }),
        };
        const tags = tagsOfProductChange(
          { ...before, product: { ...before.product, removed: false } },
          { ...before, product },
        );
        return shared(tagsOfListing(filter, sort), tags).length === 0;
      }),
      RUNS,
    );
  });

  it("The tags of a change always name the product, and never the whole catalogue.", () => {
    fc.assert(
      fc.property(change, ({ before, after }) => {
        const tags = tagsOfProductChange(before, after);
        expect(tags).toContain(productTag(1));
        expect(tags).not.toContain(CATALOGUE_TAG);
        expect(new Set(tags).size).toBe(tags.length);
      }),
    );
  });
});

it("Lists carry the tag of the catalogue.", () => {
  expect(tagsOfListing({}, null)).toContain(CATALOGUE_TAG);
});
