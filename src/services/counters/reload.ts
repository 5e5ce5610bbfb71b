/**
 * Brings Redis and Postgres together: shards are adopted and tallies loaded before anything is
 * counted or served, once per server and generation, when somebody first asks.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { CounterTable } from "../../db/counters/counters.js";
import type { TallyKey } from "../../domain/counters.js";
import { MINUTE } from "../../domain/time/time.js";
import { type CounterStore, shardOf } from "../../redis/counters/counters.js";

/** Makes Redis ready to count. */
export interface CounterTrust {
  /**
   * Has the server of a shard count for it, with what it may keep. Rejects when Redis or Postgres
   * cannot.
   */
  adopt(shard: number): Promise<void>;
  /**
   * Fills tallies from Postgres; where a shard is not adopted, or was flushed meanwhile, the caller
   * finds out and asks again. One statement.
   */
  load(keys: readonly TallyKey[], nowMs: number): Promise<void>;
}

/** What it takes. */
export interface CounterTrustParts {
  readonly store: Pick<CounterStore, "adopt" | "load">;
  readonly table: Pick<CounterTable, "applied" | "stored">;
  readonly log: Logger;
}

/** A loss is found shard by shard, and told once. */
const TOLD_ONCE_MS = MINUTE;
/** A Redis that is made ready and forgets at once is restarting over and over. */
export const MAX_ATTEMPTS = 8;

export function createCounterTrust({ store, table, log }: CounterTrustParts): CounterTrust {
  let toldUntilMs = Number.NEGATIVE_INFINITY;
  return {
    async adopt(shard) {
      const outcome = await store.adopt(shard, await table.applied(shard), randomUUID());
      if (outcome !== "lost" || performance.now() < toldUntilMs) return;
      toldUntilMs = performance.now() + TOLD_ONCE_MS;
      log.warn(
        { shard },
        "Redis lost counts: they come back from PostgreSQL, at most COUNTERS_FLUSH_MS short",
      );
    },
    async load(keys, nowMs) {
      const stored = await table.stored(keys, shardOf);
      await Promise.all(keys.map((key, at) => stored[at] && store.load(key, stored[at], nowMs)));
    },
  };
}
