/**
 * Counters of products: views, shares and viewers.
 *
 * Per product and period (all time, month, day) a HASH of
 * totals and a HyperLogLog of viewers. Per product a ZSET of
 * viewers while they are few, and one of recent viewers. A
 * HASH per product remembers operation ids. Products are
 * dealt to {@link SHARDS} shards. Each is a hash tag with
 * three keys: its state, what Postgres lacks, and the batch
 * on its way there. One script counts an event in all of
 * them.
 *
 * Postgres is the truth but for the last flush interval.
 * Batches form a chain: each names the one before. Postgres
 * keeps the name of the last in the transaction that applies
 * it. So a batch counts once, wherever a flusher dies. A
 * server that may have lost or found memory answers
 * "not-claimed" until it is claimed. It keeps only what
 * continues the chain. A tally answers "not-loaded" until it
 * is loaded under the present generation. Redis down:
 * everything rejects with RedisUnavailable within a deadline.
 */
import type { Result } from "ioredis";
import { EXACT_VIEWERS, MAX_COUNT, MAX_RECENT_VIEWERS } from "../../domain/counters.js";
import { dayNumber } from "../../domain/leaderboard/calendar.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";
import type { NotLoaded } from "../client/memory-fence.js";
import { batchesOf } from "./batches.js";
import {
  type CounterDeps,
  type CounterEvent,
  createCounterKeys,
  type ScriptArguments,
} from "./keys.js";
import { talliesOf } from "./tallies.js";

export { type CounterEvent, OPERATION_SLOTS, type OperationName, SHARDS, shardOf } from "./keys.js";
export type { TallyDiff } from "./tallies.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    countersView(...keysAndArgs: ScriptArguments): Result<[Counted["state"], string?], Context>;
    countersShare(...keysAndArgs: ScriptArguments): Result<[Counted["state"], string?], Context>;
  }
}

/**
 * What became of it. `nowMs` is the clock of Redis; 0 where
 * it was not asked.
 */
export interface Counted {
  readonly state: "counted" | "repeated" | "full" | "outside-window" | NotLoaded | "not-claimed";
  readonly nowMs: number;
}

/** All methods reject with RedisUnavailable. */
export type CounterStore = ReturnType<typeof createCounterStore>;

export interface CounterStoreOptions {
  /** How long a viewer's views of one product count once. */
  readonly viewMs: number;
  /**
   * How long an operation id is remembered at most; it makes
   * room for newer ones of its slot.
   */
  readonly operationMs: number;
}

export function createCounterStore(
  { connection, call }: RedisCaller,
  keys: Keys,
  options: CounterStoreOptions,
) {
  const deps: CounterDeps = { connection, keys, places: createCounterKeys(keys), call };
  return { ...countingOf(deps, options), ...talliesOf(deps), ...batchesOf(deps) };
}

function countingOf(
  { connection, call, places: { placesOf } }: CounterDeps,
  { viewMs, operationMs }: CounterStoreOptions,
) {
  const keepMs = ({ operation }: CounterEvent): number =>
    operation === undefined ? 0 : operationMs;
  return {
    /**
     * Counts a view. One EVALSHA.
     * @param viewer an anonymous name of a few characters
     */
    view: (event: CounterEvent, viewer: string): Promise<Counted> =>
      call("view", async () => {
        const { state, tallies, viewers, few, operations, named, spans } = placesOf(event);
        const places = [...state, ...tallies, ...viewers, ...few, operations];
        const view = [dayNumber(event.day.startMs), viewer, viewMs, MAX_RECENT_VIEWERS];
        const limits = [EXACT_VIEWERS, MAX_COUNT];
        return toCounted(
          await connection.countersView(
            ...places,
            ...spans,
            ...view,
            ...named,
            keepMs(event),
            ...limits,
          ),
        );
      }),
    /** Counts a share. One EVALSHA. */
    share: (event: CounterEvent): Promise<Counted> =>
      call("share", async () => {
        const { state, tallies, operations, named, spans } = placesOf(event);
        const places = [...state, ...tallies, operations];
        return toCounted(
          await connection.countersShare(...places, ...spans, ...named, keepMs(event), MAX_COUNT),
        );
      }),
  };
}

const toCounted = ([state, nowMs]: [Counted["state"], string?]): Counted => ({
  state,
  nowMs: Number(nowMs ?? 0),
});
