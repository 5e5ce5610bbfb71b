/**
 * Loads Redis from Postgres. Shards are claimed and tallies
 * loaded before they are counted or served. The first caller
 * does it, once per server and generation.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { CounterTable } from "../../db/counters/counters.js";
import type { TallyKey } from "../../domain/counters.js";
import { MINUTE } from "../../domain/time/time.js";
import { type CounterStore, shardOf } from "../../redis/counters/counters.js";

export interface CounterReload {
  /** Lets the server of a shard count. */
  claimShard(shard: number): Promise<void>;
  /**
   * Loads tallies from Postgres, in one statement. A
   * shard that is not claimed, or was flushed meanwhile,
   * takes none: the caller reads again.
   */
  load(keys: readonly TallyKey[], nowMs: number): Promise<void>;
}

export interface CounterReloadDeps {
  readonly store: Pick<CounterStore, "claimShard" | "load">;
  readonly table: Pick<CounterTable, "applied" | "stored">;
  readonly log: Logger;
}

/** A loss is found shard by shard, and logged once. */
const LOG_AGAIN_MS = MINUTE;
/** A Redis that forgets more often keeps restarting. */
export const MAX_ATTEMPTS = 8;

export function createCounterReload({ store, table, log }: CounterReloadDeps): CounterReload {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  return {
    async claimShard(shard) {
      const outcome = await store.claimShard(shard, await table.applied(shard), randomUUID());
      if (outcome !== "lost" || performance.now() < quietUntilMs) return;
      quietUntilMs = performance.now() + LOG_AGAIN_MS;
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
