/** Loaders of the catalogue. */
import type DataLoader from "dataloader";
import type { BrandTable } from "../db/catalogue/brands.js";
import type { CategoryTable } from "../db/catalogue/categories.js";
import type { ProductTable } from "../db/catalogue/products.js";
import type { ReviewTable } from "../db/catalogue/reviews.js";
import type {
  BrandRecord,
  CategoryRecord,
  ListingRequest,
  ProductFilter,
  ProductRecord,
  ReviewRecord,
} from "../domain/catalogue/catalogue.js";
import type { IdPage } from "../domain/page.js";
import type { ReadContext } from "../domain/reading/read-context.js";
import type { Cache } from "../redis/cache/cache.js";
import { byId, cachedLoaders, MAX_LISTINGS } from "./batch.js";
import {
  type BrandPageKey,
  brandCountRegion,
  brandPageRegion,
  brandRegion,
  categoryIdsRegion,
  categoryRegion,
  childCategoryIdsRegion,
  productCountRegion,
  productPageRegion,
  productRegion,
  type ReviewPageKey,
  reviewCountRegion,
  reviewPageRegion,
  reviewRegion,
} from "./regions.js";

export interface CatalogueDeps {
  readonly cache: Cache;
  readonly products: ProductTable;
  readonly categories: CategoryTable;
  readonly brands: BrandTable;
  readonly reviews: ReviewTable;
}

export interface CatalogueLoaders {
  /** A removed product has `removed: true`; null was never there. */
  readonly product: DataLoader<number, ProductRecord | null>;
  readonly category: DataLoader<number, CategoryRecord | null>;
  readonly brand: DataLoader<number, BrandRecord | null>;
  readonly review: DataLoader<number, ReviewRecord | null>;
  /** Ids of a category's direct children, by name. */
  readonly childCategoryIds: DataLoader<number, readonly number[], string>;
  /** Ids of all categories, parents before their children. */
  readonly categoryIds: DataLoader<"all", readonly number[], string>;
  readonly productPage: DataLoader<ListingRequest, IdPage, string>;
  readonly productCount: DataLoader<ProductFilter, number, string>;
  readonly reviewPage: DataLoader<ReviewPageKey, IdPage, string>;
  /** Number of reviews by product id. */
  readonly reviewCount: DataLoader<number, number, string>;
  readonly brandPage: DataLoader<BrandPageKey, IdPage, string>;
  /** Number of brands by prefix of their names; "" counts all. */
  readonly brandCount: DataLoader<string, number, string>;
}

export function createCatalogueLoaders(
  { cache, products, categories, brands, reviews }: CatalogueDeps,
  reading: ReadContext,
): CatalogueLoaders {
  const { entity, derived } = cachedLoaders(cache, reading);
  return {
    product: entity(productRegion, byId(products.byIds)),
    category: entity(categoryRegion, byId(categories.byIds)),
    brand: entity(brandRegion, byId(brands.byIds)),
    review: entity(reviewRegion, byId(reviews.byIds)),
    childCategoryIds: derived(childCategoryIdsRegion, async (ids) => {
      const children = await categories.childIds(ids);
      return ids.map((id) => children.get(id) ?? []);
    }),
    categoryIds: derived(categoryIdsRegion, async (keys) => {
      const ids = await categories.allIds();
      return keys.map(() => ids);
    }),
    productPage: derived(productPageRegion, products.pages, MAX_LISTINGS),
    productCount: derived(productCountRegion, products.counts, MAX_LISTINGS),
    reviewPage: derived(reviewPageRegion, reviews.pages, MAX_LISTINGS),
    reviewCount: derived(reviewCountRegion, reviews.counts),
    brandPage: derived(brandPageRegion, (keys) => Promise.all(keys.map(brands.page))),
    brandCount: derived(brandCountRegion, (texts) => Promise.all(texts.map(brands.count))),
  };
}
