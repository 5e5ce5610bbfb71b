/**
 * Batching: one read of the cache, one statement for what it
 * lacks.
 */
import DataLoader from "dataloader";
import type { ReadContext } from "../domain/reading/read-context.js";
import type { Cache, CacheRegion } from "../redis/cache/cache.js";
import type { LoadValues } from "../redis/cache/deps.js";

/** Bounds one statement and one MGET, however large the query. */
export const MAX_BATCH = 1_000;
/**
 * Each listing is several index scans, so fewer share a
 * statement.
 */
export const MAX_LISTINGS = 50;

/** Makes loaders that read through the cache. */
export function cachedLoaders(cache: Cache, reading: ReadContext) {
  return {
    /** Of entities, which may be missing. */
    entity: <V>(family: CacheRegion<number>, load: LoadValues<number, V>) =>
      new DataLoader<number, V | null>((ids) => cache.readMany(family, ids, load, reading), {
        maxBatchSize: MAX_BATCH,
      }),
    /** Of derived values, which always exist. */
    derived: <K, V>(family: CacheRegion<K>, load: LoadValues<K, V>, maxBatchSize = MAX_BATCH) =>
      new DataLoader<K, V, string>(
        (keys) => cache.readMany(family, keys, load, reading).then((values) => values as V[]),
        { maxBatchSize, cacheKeyFn: family.cacheKeyOf },
      ),
  };
}

/**
 * A batch that reads past the cache: no answer with it is
 * stored.
 */
export const uncached =
  <K, V>(reading: ReadContext, load: (keys: readonly K[]) => Promise<V>) =>
  (keys: readonly K[]): Promise<V> => {
    reading.recordUncached();
    return load(keys);
  };

/**
 * Puts rows of any order into the order asked for; missing ones
 * are null.
 */
export function byId<V extends { readonly id: number }>(
  fetch: (ids: readonly number[]) => Promise<readonly V[]>,
): LoadValues<number, V> {
  return async (ids) => {
    const rows = new Map((await fetch(ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  };
}
