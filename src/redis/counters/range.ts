/**
 * How many people viewed a product on several days together.
 *
 * While they are few, the ZSET of counters.ts has them.
 * Beyond, the HyperLogLogs of the days are merged: those of
 * past days once an hour, into a key with their generation.
 * Today's is merged each time. The days must have been loaded
 * before. Redis down: everything rejects with
 * RedisUnavailable within a deadline.
 */
import type { CalendarSpan } from "../../domain/leaderboard/calendar.js";
import { dayNumber } from "../../domain/leaderboard/calendar.js";
import { HOUR } from "../../domain/time/time.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";
import { shardOf } from "./keys.js";

export interface ViewerRanges {
  /**
   * Those known one by one whose last view was on or after
   * this day. One ZCOUNT.
   */
  known(productId: number, since: CalendarSpan): Promise<number>;
  /**
   * Those of these days, the last of which goes on. At most
   * three round trips.
   */
  estimate(productId: number, days: readonly CalendarSpan[]): Promise<number>;
}

const MERGED_KEPT_MS = HOUR;

export function createViewerRanges({ connection, call }: RedisCaller, keys: Keys): ViewerRanges {
  const merge = async (target: string, sources: readonly string[]): Promise<void> => {
    if ((await call("range", () => connection.exists(target))) === 1) return;
    // MULTI, so that no merge is left without a lifetime.
    await call("range", async () => {
      const replies = await connection
        .multi()
        .pfmerge(target, ...sources)
        .pexpire(target, MERGED_KEPT_MS)
        .exec();
      const failure = replies?.find(([error]) => error)?.[0];
      if (failure) throw failure;
    });
  };
  return {
    known: (productId, since) =>
      call("range", () =>
        connection.zcount(
          keys.exactViewers(shardOf(productId), productId),
          dayNumber(since.startMs),
          "+inf",
        ),
      ),
    async estimate(productId, days) {
      const shard = shardOf(productId);
      const viewers = days.map(({ name }) => keys.viewersSpan(shard, productId, name));
      const [over, today] = [viewers.slice(0, -1), viewers.at(-1) ?? ""];
      if (over.length === 0) return call("range", () => connection.pfcount(today));
      const generation = await call("range", () =>
        connection.hget(keys.counterShard(shard), "generation"),
      );
      const merged = keys.viewersMerged(
        shard,
        productId,
        `${days[0]?.name}:${days.at(-2)?.name}:${generation}`,
      );
      await merge(merged, over);
      return call("range", () => connection.pfcount(merged, today));
    },
  };
}
