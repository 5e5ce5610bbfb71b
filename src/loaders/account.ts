/** Loaders of accounts. */
import DataLoader from "dataloader";
import type { UserTable } from "../db/account/users.js";
import { accountTag, type CachedUser, type UserRecord } from "../domain/account/user.js";
import type { ReadContext } from "../domain/reading/read-context.js";
import type { Cache, CacheRegion } from "../redis/cache/cache.js";
import { byId, cachedLoaders, MAX_BATCH, uncached } from "./batch.js";

export interface AccountLoaders {
  /** Any account, with its address. Read from Postgres each time. */
  readonly user: DataLoader<number, UserRecord | null>;
  /**
   * The account of a session, through the cache. The session
   * proves that it exists, so no absence is remembered.
   */
  readonly ownUser: DataLoader<number, CachedUser | null>;
}

const ownUserRegion: CacheRegion<number> = {
  name: "user",
  cacheKeyOf: String,
  tagsOf: (id) => [accountTag(id)],
};

export interface AccountLoaderDeps {
  readonly cache: Cache;
  readonly users: Pick<UserTable, "byIds">;
}

export function createAccountLoaders(
  { cache, users }: AccountLoaderDeps,
  reading: ReadContext,
): AccountLoaders {
  const load = byId(users.byIds);
  const loadCached = async (ids: readonly number[]) => (await load(ids)).map(cached);
  return {
    user: new DataLoader(uncached(reading, load), { maxBatchSize: MAX_BATCH }),
    ownUser: cachedLoaders(cache, reading).entity(ownUserRegion, loadCached),
  };
}

const cached = (user: UserRecord | null): CachedUser | null => {
  if (user === null) return null;
  const { id, name, createdAt } = user;
  return { id, name, createdAt };
};
