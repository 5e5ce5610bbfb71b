/** Loaders of counters and likes. */
import DataLoader from "dataloader";
import type { LikeKey, LikesSinceKey, LikeTable } from "../db/counters/likes.js";
import { type PeopleCount, periodName, type Tally, type TallyKey } from "../domain/counters.js";
import type { ReadContext } from "../domain/reading/read-context.js";
import type { Cache } from "../redis/cache/cache.js";
import { cachedLoaders, MAX_BATCH, MAX_LISTINGS, uncached } from "./batch.js";
import { likesRegion } from "./regions.js";

/** Reads counters: from Redis, or from Postgres while it is away. */
export interface TallySource {
  /**
   * Tallies in the order asked; `reading` records a fallback. One
   * round trip.
   */
  read(keys: readonly TallyKey[], reading: ReadContext): Promise<Tally[]>;
  /** How many people viewed each product in the last days. */
  viewers(productId: number, days: number): Promise<PeopleCount>;
}

/** The people who viewed a product in the last days. */
export interface ViewersKey {
  readonly productId: number;
  readonly days: number;
}

export interface CounterLoaderDeps {
  readonly cache: Cache;
  readonly likes: LikeTable;
  readonly tallies: TallySource;
}

export interface CounterLoaders {
  /**
   * Never cached: counters change all the time, and Redis holds
   * them.
   */
  readonly tally: DataLoader<TallyKey, Tally, string>;
  readonly viewers: DataLoader<ViewersKey, PeopleCount, string>;
  /** Number of likes by product id. */
  readonly likes: DataLoader<number, number, string>;
  /** Never cached: clients share the cache. */
  readonly liked: DataLoader<LikeKey, boolean, string>;
  readonly likesSince: DataLoader<LikesSinceKey, ReadonlyMap<string, number>, string>;
}

export function createCounterLoaders(
  { cache, likes, tallies }: CounterLoaderDeps,
  reading: ReadContext,
): CounterLoaders {
  const { derived } = cachedLoaders(cache, reading);
  return {
    tally: new DataLoader(
      uncached(reading, (keys) => tallies.read(keys, reading)),
      {
        maxBatchSize: MAX_BATCH,
        cacheKeyFn: ({ productId, period }) => `${productId}:${periodName(period)}`,
      },
    ),
    viewers: new DataLoader(
      uncached(reading, (keys) =>
        Promise.all(keys.map(({ productId, days }) => tallies.viewers(productId, days))),
      ),
      {
        maxBatchSize: MAX_LISTINGS,
        cacheKeyFn: ({ productId, days }) => `${productId}:${days}`,
      },
    ),
    likes: derived(likesRegion, likes.counts),
    liked: new DataLoader(uncached(reading, likes.given), {
      maxBatchSize: MAX_BATCH,
      cacheKeyFn: ({ productId, userId }) => `${productId}:${userId}`,
    }),
    likesSince: new DataLoader(uncached(reading, likes.since), {
      maxBatchSize: MAX_BATCH,
      cacheKeyFn: ({ productId, sinceMs, by }) => `${productId}:${sinceMs}:${by}`,
    }),
  };
}
