/**
 * Tags: versions that cache entries depend on. One STRING per tag, `<hard>` or `<hard>:<soft>`; the *epoch* is the tag that every
 * entry carries; one counter says how many invalidations there have been.
 *
 * An entry remembers the versions read before its load began. A new hard version makes it dead, a new soft version stale. Versions
 * come from the Redis clock in microseconds and are never reused, so a tag that was evicted and made again matches no old entry.
 * The cost of an invalidation is O(tags), whatever the number of entries.
 * Redis down: calls reject; the outbox keeps what has to be invalidated.
 */
import type { Result } from "ioredis";
import { type RedisConnection, readStrings } from "./client.js";
import type { Keys } from "./keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    tagsBump(tag: string, mode: InvalidationMode, keepMs: number): Result<string, Context>;
    tagsEnsure(tag: string, keepMs: number): Result<string, Context>;
    tagsEpoch(epoch: string, servers: string, mode: "keep" | "renew"): Result<string, Context>;
    tagsCount(counter: string): Result<number, Context>;
  }
}

/** `delete`: entries are never served again. `expire`: they may be served as stale while they are loaded again. */
export type InvalidationMode = "delete" | "expire";

/** The tag that every entry carries, first. */
export const EPOCH_TAG = "!epoch";

/** How an entry's version of a tag compares with the current one. */
export type TagVerdict = "current" | "stale" | "dead";

/** Compares the version an entry carries with the tag's present value; null: the tag does not exist. */
export function compareTag(carried: string, current: string | null): TagVerdict {
  if (carried === current) return "current";
  return current !== null && hardVersion(carried) === hardVersion(current) ? "stale" : "dead";
}

const hardVersion = (value: string): string => value.split(":", 1)[0] ?? value;

/** Reads and changes tags. */
export type Tags = ReturnType<typeof createTags>;

/** @param keepMs how long a tag outlives its last change or use: longer than any entry that carries it */
export function createTags(connection: RedisConnection, keys: Keys, { keepMs }: { keepMs: number }) {
  const keyOf = (tag: string) => (tag === EPOCH_TAG ? keys.cacheEpoch() : keys.cacheTag(tag));
  return {
    keyOf,
    /** The present versions before a load begins, making missing tags. One EVALSHA per tag, in one round trip. */
    ensure: (tags: readonly string[], servers: string): Promise<string[]> =>
      Promise.all(tags.map((tag) => (tag === EPOCH_TAG ? connection.tagsEpoch(keyOf(tag), servers, "keep") : connection.tagsEnsure(keyOf(tag), keepMs)))),
    /** Gives each tag a new version, counts the invalidation and announces the count. Resolves to the count. */
    async bump(tags: readonly string[], mode: InvalidationMode): Promise<number> {
      // Sent in this order in one write: whoever sees the count knows that the tags before it have changed.
      const bumped = tags.map((tag) => connection.tagsBump(keyOf(tag), mode, keepMs));
      const [count] = await Promise.all([countAfter(connection, keys, bumped), ...bumped]);
      // Announced only now: Redis queues its tracking messages before it replies, so they arrive before this does.
      connection.publish(keys.cacheSeenChannel(), `${count}`).catch(() => {});
      return count;
    },
    /** Keeps the epoch while it was made on these servers, else makes a new one. */
    epoch: (servers: string, mode: "keep" | "renew"): Promise<string> => connection.tagsEpoch(keys.cacheEpoch(), servers, mode),
    /** Number of invalidations so far. */
    count: async (): Promise<number> => Number((await readStrings(connection, [keys.cacheSeen()]))[0] ?? 0),
  };
}

/** On one server the count may follow in the same write; the nodes of a Cluster keep no order among themselves. */
async function countAfter(connection: RedisConnection, keys: Keys, bumped: readonly Promise<unknown>[]): Promise<number> {
  if (connection.isCluster) await Promise.all(bumped);
  return connection.tagsCount(keys.cacheSeen());
}
