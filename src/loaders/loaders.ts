/**
 * DataLoaders: N ids asked for one at a time by resolvers become one read of the cache, and one
 * statement for what it does not hold. Made anew for every operation, so that nothing outlives the
 * client whose consistency token they read by.
 */
import DataLoader from "dataloader";
import type { UserTable } from "../db/account/users.js";
import type { BrandTable } from "../db/catalogue/brands.js";
import type { CategoryTable } from "../db/catalogue/categories.js";
import type { ProductTable } from "../db/catalogue/products.js";
import type { ReviewTable } from "../db/catalogue/reviews.js";
import type { LikeKey, LikesSinceKey, LikeTable } from "../db/counters/likes.js";
import type { NotificationTable } from "../db/notification/inbox.js";
import type { UserRecord } from "../domain/account/user.js";
import type {
  BrandRecord,
  CategoryRecord,
  ListingRequest,
  ProductFilter,
  ProductRecord,
  ReviewRecord,
} from "../domain/catalogue/catalogue.js";
import { type PeopleCount, periodName, type Tally, type TallyKey } from "../domain/counters.js";
import type { NotificationRecord } from "../domain/notification.js";
import type { IdPage } from "../domain/page.js";
import type { Reading } from "../domain/reading.js";
import type { Cache, Family } from "../redis/cache/cache.js";
import type { Load } from "../redis/cache/parts.js";
import {
  type BrandPageKey,
  brandCountFamily,
  brandFamily,
  brandPageFamily,
  categoryFamily,
  categoryIdsFamily,
  childCategoryIdsFamily,
  likesFamily,
  productCountFamily,
  productFamily,
  productPageFamily,
  type ReviewPageKey,
  reviewCountFamily,
  reviewFamily,
  reviewPageFamily,
} from "./families.js";

/** Where counters are read: in Redis, which counts, or where it is away in Postgres. */
export interface TallySource {
  /** Tallies in the order asked; `reading` notes a fallback. One round trip. */
  read(keys: readonly TallyKey[], reading: Reading): Promise<Tally[]>;
  /** How many people viewed a product in the last days. */
  viewers(productId: number, days: number): Promise<PeopleCount>;
}

/** The people who viewed a product in the last days. */
export interface ViewersKey {
  readonly productId: number;
  readonly days: number;
}

/** What loaders read through, and from. */
export interface LoaderSources {
  readonly cache: Cache;
  readonly products: ProductTable;
  readonly categories: CategoryTable;
  readonly brands: BrandTable;
  readonly reviews: ReviewTable;
  readonly users: Pick<UserTable, "byIds">;
  readonly likes: LikeTable;
  readonly tallies: TallySource;
  readonly notifications: Pick<NotificationTable, "byIds">;
}

/** The loaders of one operation. */
export interface Loaders {
  /** A removed product resolves to its record, with `removed: true`; null was never there. */
  readonly product: DataLoader<number, ProductRecord | null>;
  readonly category: DataLoader<number, CategoryRecord | null>;
  readonly brand: DataLoader<number, BrandRecord | null>;
  readonly review: DataLoader<number, ReviewRecord | null>;
  /** Read from Postgres each time: an account is its owner's, and nothing that a cache may keep. */
  readonly user: DataLoader<number, UserRecord | null>;
  /**
   * Whoever it is for. Read from Postgres each time: only its owner may see it, so nothing would be
   * shared.
   */
  readonly notification: DataLoader<number, NotificationRecord | null>;
  /** Ids of a category's direct children, by name. */
  readonly childCategoryIds: DataLoader<number, readonly number[], string>;
  /** Ids of all categories, parents before their children. */
  readonly categoryIds: DataLoader<"all", readonly number[], string>;
  readonly productPage: DataLoader<ListingRequest, IdPage, string>;
  readonly productCount: DataLoader<ProductFilter, number, string>;
  readonly reviewPage: DataLoader<ReviewPageKey, IdPage, string>;
  /** Number of reviews by product id. */
  readonly reviewCount: DataLoader<number, number, string>;
  /** Never from the cache: counters change all the time, and Redis has them at hand. */
  readonly tally: DataLoader<TallyKey, Tally, string>;
  readonly viewers: DataLoader<ViewersKey, PeopleCount, string>;
  /** Number of likes by product id. */
  readonly likes: DataLoader<number, number, string>;
  /** Whether a user likes a product; never from the cache, so that nobody is told of another's. */
  readonly liked: DataLoader<LikeKey, boolean, string>;
  readonly likesSince: DataLoader<LikesSinceKey, ReadonlyMap<string, number>, string>;
  readonly brandPage: DataLoader<BrandPageKey, IdPage, string>;
  /** Number of brands by prefix of the name; "" counts all. */
  readonly brandCount: DataLoader<string, number, string>;
}

/** Bounds one statement and one MGET, however much a query asks for at once. */
const MAX_BATCH = 1_000;
/** Listings are several index scans each, so fewer of them share a statement. */
const MAX_LISTINGS = 50;

/** Makes the loaders of one operation. */
export function createLoaders(sources: LoaderSources, reading: Reading): Loaders {
  const { cache, products, categories, brands, reviews, users, likes, tallies, notifications } =
    sources;
  /** Entities, which may be missing. */
  const entity = <V>(family: Family<number>, load: Load<number, V>) =>
    new DataLoader<number, V | null>((ids) => cache.readMany(family, ids, load, reading), {
      maxBatchSize: MAX_BATCH,
    });
  /** Derived values, which always exist. */
  const derived = <K, V>(family: Family<K>, load: Load<K, V>, maxBatchSize = MAX_BATCH) =>
    new DataLoader<K, V, string>(
      (keys) => cache.readMany(family, keys, load, reading).then((values) => values as V[]),
      {
        maxBatchSize,
        cacheKeyFn: family.nameOf,
      },
    );
  return {
    product: entity(productFamily, byId(products.byIds)),
    category: entity(categoryFamily, byId(categories.byIds)),
    brand: entity(brandFamily, byId(brands.byIds)),
    review: entity(reviewFamily, byId(reviews.byIds)),
    user: new DataLoader(byId(users.byIds), { maxBatchSize: MAX_BATCH }),
    notification: new DataLoader(byId(notifications.byIds), { maxBatchSize: MAX_BATCH }),
    childCategoryIds: derived(childCategoryIdsFamily, async (ids) => {
      const children = await categories.childIds(ids);
      return ids.map((id) => children.get(id) ?? []);
    }),
    categoryIds: derived(categoryIdsFamily, async (keys) => {
      const ids = await categories.allIds();
      return keys.map(() => ids);
    }),
    productPage: derived(productPageFamily, products.pages, MAX_LISTINGS),
    productCount: derived(productCountFamily, products.counts, MAX_LISTINGS),
    reviewPage: derived(reviewPageFamily, reviews.pages, MAX_LISTINGS),
    reviewCount: derived(reviewCountFamily, reviews.counts),
    tally: new DataLoader((keys) => tallies.read(keys, reading), {
      maxBatchSize: MAX_BATCH,
      cacheKeyFn: ({ productId, period }) => `${productId}:${periodName(period)}`,
    }),
    viewers: new DataLoader(
      (keys) => Promise.all(keys.map(({ productId, days }) => tallies.viewers(productId, days))),
      {
        maxBatchSize: MAX_LISTINGS,
        cacheKeyFn: ({ productId, days }) => `${productId}:${days}`,
      },
    ),
    likes: derived(likesFamily, likes.counts),
    liked: new DataLoader((keys) => likes.given(keys), {
      maxBatchSize: MAX_BATCH,
      cacheKeyFn: ({ productId, userId }) => `${productId}:${userId}`,
    }),
    likesSince: new DataLoader((keys) => likes.since(keys), {
      maxBatchSize: MAX_BATCH,
      cacheKeyFn: ({ productId, sinceMs, by }) => `${productId}:${sinceMs}:${by}`,
    }),
    brandPage: derived(brandPageFamily, (keys) => Promise.all(keys.map(brands.page))),
    brandCount: derived(brandCountFamily, (texts) => Promise.all(texts.map(brands.count))),
  };
}

/** Puts rows that come in any order, and may be missing, into the order asked for. */
function byId<V extends { readonly id: number }>(
  fetch: (ids: readonly number[]) => Promise<readonly V[]>,
): Load<number, V> {
  return async (ids) => {
    const rows = new Map((await fetch(ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  };
}
