/** Keys and arguments of the scripts of counters. */

import {
  type CounterBatch,
  EXACT_VIEWERS,
  periodName,
  type StoredTally,
  type TallyKey,
} from "../../domain/counters.js";
import { type CalendarSpan, dayNumber } from "../../domain/leaderboard/calendar.js";
import { DAY, HOUR } from "../../domain/time/time.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";

export interface CounterEvent {
  readonly productId: number;
  /**
   * The day it is taken for, and its month. Refused as
   * "outside-window" when the clock of Redis disagrees.
   */
  readonly day: CalendarSpan;
  readonly month: CalendarSpan;
  /**
   * Names the operation, so that it counts once; undefined
   * when the caller gave no id.
   */
  readonly operation: OperationName | undefined;
}

/** An operation as Redis remembers it. */
export interface OperationName {
  /**
   * The slot that remembers it, below {@link OPERATION_SLOTS}:
   * callers of one slot share its room.
   */
  readonly slot: number;
  /** 8 characters of base64url. */
  readonly id: string;
}

/**
 * Slots of a product's operation ids, 64 ids each
 * (counters.operations.lua): 16,384 ids, 330 KB.
 */
export const OPERATION_SLOTS = 256;

/**
 * Few enough to flush in one round trip; enough to fill the
 * nodes of a Cluster evenly.
 */
export const SHARDS = 64;

export const shardOf = (productId: number): number => productId % SHARDS;

/**
 * A day is usually read with its week. Older days are loaded
 * on demand, and leave soon.
 */
const SPAN_KEPT_MS = 8 * DAY;
const OLD_SPAN_KEPT_MS = HOUR;

/** Keys and arguments of a script, in its order. */
export type ScriptArguments = (string | number | Buffer)[];

export function createCounterKeys(keys: Keys) {
  const tallyKeys = ({ productId, period }: TallyKey): [tally: string, viewers: string] => {
    const shard = shardOf(productId);
    if (period === "all") return [keys.tally(shard, productId), keys.viewers(shard, productId)];
    const span = period.name;
    return [keys.tallySpan(shard, productId, span), keys.viewersSpan(shard, productId, span)];
  };
  const stateKeys = (shard: number): string[] => [
    keys.counterShard(shard),
    keys.counterPending(shard),
    keys.counterBatch(shard),
  ];
  return {
    /**
     * The keys of a shard: its state, what it counted, and the
     * batch under way.
     */
    stateKeys,
    /**
     * All that an event may touch, and the arguments that both
     * events begin with.
     */
    placesOf({ productId, month, day, operation }: CounterEvent) {
      const shard = shardOf(productId);
      const periods = (["all", month, day] as const).map((period) =>
        tallyKeys({ productId, period }),
      );
      return {
        state: [keys.counterShard(shard), keys.counterPending(shard)],
        tallies: periods.map(([tally]) => tally),
        viewers: periods.map(([, viewers]) => viewers),
        few: [keys.exactViewers(shard, productId), keys.recentViewers(shard, productId)],
        operations: keys.counterOperations(shard, productId),
        named: operation ? [operation.slot, operation.id] : ["", ""],
        spans: [productId, month.name, day.name, day.startMs, day.endMs],
      };
    },
    ...tallyArguments({ keys, tallyKeys, stateKeys }),
  };
}

interface KeysOfTallies {
  readonly keys: Keys;
  readonly tallyKeys: (key: TallyKey) => [tally: string, viewers: string];
  readonly stateKeys: (shard: number) => string[];
}

/** Keys and arguments of the scripts about one tally. */
function tallyArguments({ keys, tallyKeys, stateKeys }: KeysOfTallies) {
  return {
    /** Begins with the number of keys. */
    readArgs(wanted: readonly TallyKey[], nowMs: number): [number, ...ScriptArguments] {
      const places = wanted.flatMap((key) => {
        const shard = shardOf(key.productId);
        const whole = [keys.tally(shard, key.productId), keys.exactViewers(shard, key.productId)];
        return [keys.counterShard(shard), ...tallyKeys(key), ...whole];
      });
      return [places.length, ...places, ...wanted.map((key) => firstDayOf(key, nowMs))];
    },
    loadArgs(key: TallyKey, stored: StoredTally, nowMs: number): ScriptArguments {
      const { applied, views, shares, sketch, isOver, few } = stored;
      const { productId, period } = key;
      const shard = shardOf(productId);
      const leavesMs =
        period === "all" ? 0 : Math.max(period.endMs + SPAN_KEPT_MS, nowMs + OLD_SPAN_KEPT_MS);
      const places = [...stateKeys(shard), ...tallyKeys(key), keys.exactViewers(shard, productId)];
      const name = `${productId}:${periodName(period)}`;
      const counts = [applied, name, views, shares, sketch ?? "", leavesMs];
      const known = few.flatMap(({ viewer, day }) => [day, viewer]);
      return [...places, ...counts, period === "all" ? EXACT_VIEWERS : 0, Number(isOver), ...known];
    },
    diffArgs(key: TallyKey, { applied, views, shares }: StoredTally): ScriptArguments {
      const places = [...stateKeys(shardOf(key.productId)), tallyKeys(key)[0]];
      return [...places, applied, `${key.productId}:${periodName(key.period)}`, views, shares];
    },
    sketchArgs({ shard, id }: CounterBatch, key: TallyKey): ScriptArguments {
      const places = [
        keys.counterShard(shard),
        keys.counterBatch(shard),
        ...tallyKeys(key),
        keys.exactViewers(shard, key.productId),
      ];
      return [...places, id, Number(key.period === "all")];
    },
  };
}

/**
 * The first day of a period that goes on, as the script
 * wants it.
 */
function firstDayOf({ period }: TallyKey, nowMs: number): string {
  if (period === "all") return "-inf";
  return nowMs < period.endMs ? String(dayNumber(period.startMs)) : "";
}

/** What the calls of counters share. */
export interface CounterDeps extends Pick<RedisCaller, "connection" | "call"> {
  readonly keys: Keys;
  readonly places: ReturnType<typeof createCounterKeys>;
}
