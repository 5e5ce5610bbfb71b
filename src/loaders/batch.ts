/** How loaders batch: one read of the cache, and one statement for what it does not hold. */
import DataLoader from "dataloader";
import type { ReadContext } from "../domain/read-context.js";
import type { Cache, CacheRegion } from "../redis/cache/cache.js";
import type { LoadValues } from "../redis/cache/parts.js";

/** Bounds one statement and one MGET, however much a query asks for at once. */
export const MAX_BATCH = 1_000;
/** Listings are several index scans each, so fewer of them share a statement. */
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

/** Puts rows that come in any order, and may be missing, into the order asked for. */
export function byId<V extends { readonly id: number }>(
  fetch: (ids: readonly number[]) => Promise<readonly V[]>,
): LoadValues<number, V> {
  return async (ids) => {
    const rows = new Map((await fetch(ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  };
}
