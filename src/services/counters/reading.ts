/**
 * Reads counters from Redis, loading what is missing there.
 * Redis down: from Postgres, which has what was flushed;
 * the reading is then provisional.
 */
import type { CounterTable } from "../../db/counters/counters.js";
import { peopleCount, type StoredTally, type Tally, type TallyKey } from "../../domain/counters.js";
import { RedisUnavailable } from "../../domain/errors.js";
import type { Reading } from "../../domain/reading.js";
import type { Breaker } from "../../redis/client/breaker.js";
import { type CounterStore, shardOf } from "../../redis/counters/counters.js";
import { type CounterReload, MAX_ATTEMPTS } from "./reload.js";

export interface CounterReadingDeps {
  readonly store: Pick<CounterStore, "read">;
  readonly reload: CounterReload;
  readonly table: Pick<CounterTable, "stored">;
  readonly nowMs: () => number;
  readonly breaker: Breaker;
}

/** Answers tallies in the order asked. */
export function createCounterReading({ store, reload, table, nowMs, breaker }: CounterReadingDeps) {
  /** Reads once; loads what is missing (null) for the next attempt. */
  const attempt = async (keys: readonly TallyKey[]): Promise<(Tally | null)[]> => {
    const answers = await store.read(keys, nowMs());
    const shards = new Set(
      keys.filter((_, at) => answers[at] === "unloaded").map(({ productId }) => shardOf(productId)),
    );
    await Promise.all([...shards].map((shard) => reload.claimShard(shard)));
    const missing = keys.filter((_, at) => answers[at] === "missing");
    if (missing.length > 0) await reload.load(missing, nowMs());
    return answers.map((answer) => (typeof answer === "object" ? answer : null));
  };
  const fromRedis = async (keys: readonly TallyKey[]): Promise<Tally[]> => {
    let tallies = await attempt(keys);
    for (let again = 1; again < MAX_ATTEMPTS && tallies.includes(null); again++) {
      const late = await attempt(keys.filter((_, at) => tallies[at] === null));
      tallies = tallies.map((tally) => tally ?? late.shift() ?? null);
    }
    if (tallies.includes(null))
      throw new RedisUnavailable(new Error("Redis forgets what it is told about counters"));
    return tallies as Tally[];
  };
  return async (keys: readonly TallyKey[], reading: Reading): Promise<Tally[]> => {
    if (breaker.isClosed()) {
      try {
        return await fromRedis(keys);
      } catch (error) {
        if (!(error instanceof RedisUnavailable)) throw error;
        breaker.trip(error);
      }
    }
    reading.noteFallback();
    return (await table.stored(keys, shardOf)).map(toTally);
  };
}

const toTally = ({ views, shares, viewers, isOver, few }: StoredTally): Tally => ({
  views,
  shares,
  viewers: peopleCount(viewers, !isOver && few.length === viewers),
});
