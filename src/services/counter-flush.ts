/**
 * Write-behind: what Redis counted is brought to Postgres, shard by shard: set aside, applied in one transaction with its name, dropped.
 * Each step can be repeated and each may be the last: whoever comes next finds the batch and goes on where it ended.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { CounterTable } from "../db/counters.js";
import type { Clock } from "../domain/clock.js";
import { type Batch, periodNamed, type Sketch } from "../domain/counters.js";
import { type CounterStore, SHARDS } from "../redis/counters.js";
import type { CounterTrust } from "./counter-trust.js";

/** Flushes. */
export interface CounterFlush {
  /** Brings everything counted so far to Postgres. Resolves to how many batches were applied; rejects when Redis or Postgres cannot. */
  flush(): Promise<number>;
}

/** What flushing takes. */
export interface CounterFlushParts {
  readonly store: Pick<CounterStore, "seal" | "sketches" | "settle">;
  readonly table: Pick<CounterTable, "apply">;
  readonly trust: CounterTrust;
  readonly clock: Clock;
  readonly log: Logger;
}

const ALL_SHARDS = Array.from({ length: SHARDS }, (_, shard) => shard);

export function createCounterFlush({ store, table, trust, clock, log }: CounterFlushParts): CounterFlush {
  const bring = async (batch: Batch): Promise<boolean> => {
    const sketches = await sketchesOf(batch);
    const fate = await table.apply(batch, sketches);
    if (fate === "stray") log.warn({ shard: batch.shard }, "Redis counted beside what PostgreSQL has; the shard is adopted again");
    await store.settle(batch, fate === "stray" ? "stray" : "applied");
    return fate === "applied";
  };
  /** A tally that is not loaded holds only what was counted here since; loading brings in what Postgres knows. */
  const sketchesOf = async (batch: Batch): Promise<Sketch[]> => {
    const wanted = batch.counts
      .filter(({ viewersChanged }) => viewersChanged)
      .map(({ productId, period }) => ({ productId, period: periodNamed(period) }));
    const found = await store.sketches(batch, wanted);
    const missing = wanted.filter((_, at) => found[at] === null);
    if (missing.length === 0) return found.filter((sketch) => sketch !== null);
    await trust.load(missing, clock.nowMs());
    return (await store.sketches(batch, wanted)).filter((sketch) => sketch !== null);
  };
  const seal = async (shards: readonly number[], id: string): Promise<Batch[]> => {
    const first = await store.seal(shards, id);
    const unloaded = shards.filter((_, at) => first[at] === "unloaded");
    for (const shard of unloaded) await trust.adopt(shard);
    const second = unloaded.length > 0 ? await store.seal(unloaded, id) : [];
    return [...first, ...second].filter((batch) => batch !== null && batch !== "unloaded");
  };
  /** What waits behind a batch that somebody else left is brought right after it, once. */
  const bringAll = async (shards: readonly number[], isAgain: boolean): Promise<number> => {
    const id = randomUUID();
    let applied = 0;
    const again: number[] = [];
    for (const batch of await seal(shards, id)) {
      if (await bring(batch)) applied += 1;
      if (batch.id !== id && !isAgain) again.push(batch.shard);
    }
    return again.length > 0 ? applied + (await bringAll(again, true)) : applied;
  };
  return { flush: () => bringAll(ALL_SHARDS, false) };
}
