/** Loaders of accounts. */
import DataLoader from "dataloader";
import type { UserTable } from "../db/account/users.js";
import { accountOfSession, type UserPrincipal } from "../domain/account/principal.js";
import { accountTag, type CachedUser, type UserRecord } from "../domain/account/user.js";
import type { ReadContext } from "../domain/reading/read-context.js";
import type { Cache, CacheRegion } from "../redis/cache/cache.js";
import { byId, cachedLoaders, MAX_BATCH, uncached } from "./batch.js";

export interface AccountLoaders {
  /** Any account, with its address. Read from Postgres each time. */
  readonly user: DataLoader<number, UserRecord | null>;
  /**
   * The account of a session, through the cache. Rejects with
   * Unauthenticated where it is gone; that is not cached.
   */
  readonly ownUser: DataLoader<SessionOwner, CachedUser, string>;
}

type SessionOwner = Pick<UserPrincipal, "userId" | "userTag">;

/** By its tag too: a restored database may give an id again. */
const ownUserRegion: CacheRegion<SessionOwner> = {
  name: "user",
  cacheKeyOf: ({ userId, userTag }) => `${userId}:${userTag}`,
  tagsOf: ({ userId }) => [accountTag(userId)],
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
  const loadOwn = async (owners: readonly SessionOwner[]) => {
    const found = await load(owners.map(({ userId }) => userId));
    return owners.map((owner, at) => cachedOf(accountOfSession(owner, found[at] ?? null)));
  };
  return {
    user: new DataLoader(uncached(reading, load), { maxBatchSize: MAX_BATCH }),
    ownUser: cachedLoaders(cache, reading).derived(ownUserRegion, loadOwn),
  };
}

const cachedOf = ({ id, name, createdAt }: UserRecord): CachedUser => ({ id, name, createdAt });
