/**
 * Tags: versions that cache entries depend on.
 *
 * One STRING per tag, `<hard>` or `<hard>:<soft>`; every
 * entry carries the tag *epoch*; one counter rises with
 * every invalidation. An entry keeps the versions read
 * before its load. A new hard version makes it dead, a new
 * soft version stale. Versions are microseconds of the Redis
 * clock, never reused: a tag made again matches no old
 * entry. An invalidation costs O(tags), for any number of
 * entries. Redis down: calls reject; the outbox keeps what
 * has to be invalidated.
 */
import type { Result } from "ioredis";
import { inOneTurn, type RedisConnection, readStrings } from "../client/connect.js";
import type { Keys } from "../client/keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    tagsBump(tag: string, mode: InvalidationMode, keepMs: number): Result<string, Context>;
    tagsEnsure(tag: string, keepMs: number): Result<string, Context>;
    tagsEpoch(
      epoch: string,
      servers: string,
      mode: EpochMode,
      oldest: string,
    ): Result<string, Context>;
    tagsCount(counter: string, channel: string): Result<number, Context>;
  }
}

/**
 * `delete`: entries are never served again. `expire`: they
 * may be served as stale while they are loaded again.
 */
export type InvalidationMode = "delete" | "expire";

/**
 * When a new epoch is made. `renew`: in any case. `check`:
 * when the present one is not of these servers or is too old.
 * `find`: only when there is none.
 */
export type EpochMode = "renew" | "check" | "find";

/** The tag that every entry carries, first. */
export const EPOCH_TAG = "!epoch";

/**
 * How an entry's version of a tag compares with the current
 * one.
 */
export type TagVerdict = "current" | "stale" | "dead";

/**
 * Compares the version an entry carries with the tag's
 * present value; null: the tag does not exist.
 */
export function compareTag(carried: string, current: string | null): TagVerdict {
  if (carried === current) return "current";
  return current !== null && hardVersion(carried) === hardVersion(current) ? "stale" : "dead";
}

const hardVersion = (value: string): string => value.split(":", 1)[0] ?? value;

export type Tags = ReturnType<typeof createTags>;

/**
 * @param keepMs how long a tag outlives its last change or
 * use: longer than any entry that carries it
 */
export function createTags(
  connection: RedisConnection,
  keys: Keys,
  { keepMs }: { keepMs: number },
) {
  const keyOf = (tag: string) => (tag === EPOCH_TAG ? keys.cacheEpoch() : keys.cacheTag(tag));
  const ensure = (tag: string, servers: string) =>
    tag === EPOCH_TAG
      ? connection.tagsEpoch(keyOf(tag), servers, "find", "0")
      : connection.tagsEnsure(keyOf(tag), keepMs);
  return {
    keyOf,
    /**
     * The present versions before a load begins, making missing
     * tags; one that a full server refuses to make is absent.
     * One EVALSHA per tag, in one round trip.
     */
    async ensure(tags: readonly string[], servers: string): Promise<ReadonlyMap<string, string>> {
      const answers = await Promise.allSettled(tags.map((tag) => ensure(tag, servers)));
      return new Map(
        answers.flatMap((answer, index) =>
          answer.status === "fulfilled" ? [[tags[index] as string, answer.value]] : [],
        ),
      );
    },
    /**
     * Gives each tag a new version, then counts the invalidation
     * and announces the count. Resolves to the count. Two round
     * trips.
     */
    async bump(tags: readonly string[], mode: InvalidationMode): Promise<number> {
      await inOneTurn(connection, () =>
        Promise.all(tags.map((tag) => connection.tagsBump(keyOf(tag), mode, keepMs))),
      );
      // Only now: Redis queues tracking messages before its reply,
      // so the count comes after the tags.
      return connection.tagsCount(keys.cacheSeen(), keys.cacheSeenChannel());
    },
    /**
     * Checks or renews the epoch.
     * @param oldest an epoch made before this one comes from a
     * server that fell behind
     */
    epoch: (servers: string, mode: "check" | "renew", oldest: string): Promise<string> =>
      connection.tagsEpoch(keys.cacheEpoch(), servers, mode, oldest.split("@", 1)[0] ?? "0"),
    /** The count of the last invalidation. */
    count: async (): Promise<number> =>
      Number((await readStrings(connection, [keys.cacheSeen()]))[0] ?? 0),
  };
}
