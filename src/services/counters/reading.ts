/**
 * Reads counters from Redis, loading what is missing
 * there. Redis down: from Postgres, which has what was
 * flushed; the reading is then provisional.
 */
import type { CounterTable } from "../../db/counters/counters.js";
import { peopleCount, type StoredTally, type Tally, type TallyKey } from "../../domain/counters.js";
import { RedisUnavailable } from "../../domain/errors.js";
import type { ReadContext } from "../../domain/reading/read-context.js";
import type { Breaker } from "../../redis/client/breaker.js";
import { askLoaded, NOT_LOADED, type NotLoaded } from "../../redis/client/memory-fence.js";
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
  /** Claims shards and loads tallies that Redis answered so of. */
  const load = async (
    keys: readonly TallyKey[],
    answers: readonly TallyAnswer[],
  ): Promise<void> => {
    const shards = new Set(
      keys
        .filter((_, at) => answers[at] === "not-claimed")
        .map(({ productId }) => shardOf(productId)),
    );
    await Promise.all([...shards].map((shard) => reload.claimShard(shard)));
    const missing = keys.filter((_, at) => answers[at] === NOT_LOADED);
    if (missing.length > 0) await reload.load(missing, nowMs());
  };
  const fromRedis = (keys: readonly TallyKey[]): Promise<Tally[]> => {
    let answers: TallyAnswer[] = keys.map(() => NOT_LOADED);
    const ask = async (): Promise<Tally[] | NotLoaded> => {
      const asked = await store.read(
        keys.filter((_, at) => typeof answers[at] === "string"),
        nowMs(),
      );
      answers = answers.map((answer) =>
        typeof answer === "string" ? (asked.shift() ?? NOT_LOADED) : answer,
      );
      return answers.every((answer) => typeof answer === "object") ? answers : NOT_LOADED;
    };
    return askLoaded(ask, () => load(keys, answers), { attempts: MAX_ATTEMPTS });
  };
  return async (keys: readonly TallyKey[], reading: ReadContext): Promise<Tally[]> => {
    if (breaker.isClosed()) {
      try {
        return await fromRedis(keys);
      } catch (error) {
        if (!(error instanceof RedisUnavailable)) throw error;
        breaker.trip(error);
      }
    }
    reading.recordFallback();
    return (await table.stored(keys, shardOf)).map(toStoredTally);
  };
}

type TallyAnswer = Tally | NotLoaded | "not-claimed";

const toStoredTally = ({ views, shares, viewers, isOver, few }: StoredTally): Tally => ({
  views,
  shares,
  viewers: peopleCount(viewers, !isOver && few.length === viewers),
});
