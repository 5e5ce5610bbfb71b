/**
 * Write-behind: brings what Redis counted to Postgres, shard
 * by shard. A batch is cut, applied in one transaction with
 * its name, and acknowledged. Each step is idempotent. After
 * a crash the next flusher finds the batch and goes on. A
 * shard that fails stops no other.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { CounterTable } from "../../db/counters/counters.js";
import {
  type CounterBatch,
  periodNamed,
  type Sketch,
  type TallyKey,
} from "../../domain/counters.js";
import type { Clock } from "../../domain/time/clock.js";
import { type CounterStore, SHARDS } from "../../redis/counters/counters.js";
import { bisect, concernsAll } from "../bisect.js";
import type { CounterReload } from "./reload.js";

export interface CounterFlush {
  /**
   * Brings everything counted so far to Postgres. Resolves to
   * the number of batches applied. Rejects when a server is
   * away, or at the end when a shard failed.
   */
  flush(): Promise<number>;
}

export interface CounterFlushDeps {
  readonly store: Pick<CounterStore, "cutBatch" | "sketches" | "ackBatch">;
  readonly table: Pick<CounterTable, "apply">;
  readonly reload: CounterReload;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Failures in a row after which a server is away. */
const FAILURES_TO_END = 3;
const EVERY_SHARD = Array.from({ length: SHARDS }, (_, shard) => shard);

export function createCounterFlush({
  store,
  table,
  reload,
  clock,
  log,
}: CounterFlushDeps): CounterFlush {
  const sketchesOf = createSketchReading({ store, reload, clock, log });
  const applyBatch = async (batch: CounterBatch): Promise<boolean> => {
    if (batch.unreadable)
      log.error(
        { shard: batch.shard, fields: batch.unreadable },
        "counts in Redis cannot be read and are left out",
      );
    const fate = await table.apply(batch, await sketchesOf(batch));
    if (fate === "stray")
      log.warn(
        { shard: batch.shard },
        "Redis counted beside what PostgreSQL has; the shard is claimed again",
      );
    await store.ackBatch(batch, fate === "stray" ? "stray" : "applied");
    return fate === "applied";
  };
  /** Flushes counts behind another flusher's batch. */
  const flushShards = async (
    shards: readonly number[],
    isAgain: boolean,
    failures: ShardFailures,
  ): Promise<number> => {
    const id = randomUUID();
    let applied = 0;
    const again: number[] = [];
    for (const batch of await cutBatches({ store, reload }, { shards, id }, failures)) {
      const done = await failures.alone(batch.shard, () => applyBatch(batch));
      if (done) applied += 1;
      if (done !== null && batch.id !== id && !isAgain) again.push(batch.shard);
    }
    return again.length > 0 ? applied + (await flushShards(again, true, failures)) : applied;
  };
  return {
    async flush() {
      const failures = new ShardFailures(log);
      const applied = await flushShards(EVERY_SHARD, false, failures);
      failures.throwFirst();
      return applied;
    },
  };
}

interface Cut {
  readonly shards: readonly number[];
  /** Names the batches. */
  readonly id: string;
}

/** Cuts a batch of each shard; claims unclaimed ones. */
async function cutBatches(
  { store, reload }: Pick<CounterFlushDeps, "store" | "reload">,
  { shards, id }: Cut,
  failures: ShardFailures,
): Promise<CounterBatch[]> {
  const first = await cutSome(store, { shards, id }, failures);
  for (const shard of first.unclaimed) await failures.alone(shard, () => reload.claimShard(shard));
  const second = await cutSome(store, { shards: first.unclaimed, id }, failures);
  return [...first.batches, ...second.batches];
}

async function cutSome(
  store: CounterFlushDeps["store"],
  { shards, id }: Cut,
  failures: ShardFailures,
): Promise<{ batches: CounterBatch[]; unclaimed: number[] }> {
  const [batches, unclaimed]: [CounterBatch[], number[]] = [[], []];
  const cut = async (some: readonly number[]): Promise<void> => {
    for (const [at, batch] of (await store.cutBatch(some, id)).entries()) {
      if (batch === "not-claimed") unclaimed.push(some[at] as number);
      else if (batch) batches.push(batch);
    }
  };
  if (shards.length > 0) await bisect(shards, cut, (shard, error) => failures.add(shard, error));
  return { batches, unclaimed };
}

/** Shards that failed; the next flush retries them. */
class ShardFailures {
  private first: { readonly error: unknown } | null = null;
  /** Failures of a server in a row. */
  private away = 0;

  constructor(private readonly log: Logger) {}

  add(shard: number, error: unknown): void {
    this.first ??= { error };
    this.log.error(
      { err: error, shard },
      "the counts of a shard could not be written to PostgreSQL",
    );
  }

  /**
   * Runs `work` for one shard; null where it failed. Rejects
   * when a server fails several in a row. A single time-out
   * may be a row that another session holds.
   */
  async alone<T>(shard: number, work: () => Promise<T>): Promise<T | null> {
    try {
      const done = await work();
      this.away = 0;
      return done;
    } catch (error) {
      if (!concernsAll(error)) this.add(shard, error);
      else if (++this.away >= FAILURES_TO_END) throw error;
      else this.first ??= { error };
      return null;
    }
  }

  throwFirst(): void {
    if (this.first) throw this.first.error;
  }
}

/** Viewers of a batch; unreadable ones stay unchanged. */
function createSketchReading({
  store,
  reload,
  clock,
  log,
}: Pick<CounterFlushDeps, "store" | "reload" | "clock" | "log">) {
  const read = async (batch: CounterBatch, wanted: readonly TallyKey[]) => {
    const [found, missing]: [Sketch[], TallyKey[]] = [[], []];
    const readSome = async (some: readonly TallyKey[]): Promise<void> => {
      for (const [at, sketch] of (await store.sketches(batch, some)).entries()) {
        if (sketch) found.push(sketch);
        else missing.push(some[at] as TallyKey);
      }
    };
    const leaveOut = ({ productId }: TallyKey, error: unknown) =>
      log.error({ err: error, productId }, "viewers of a product cannot be read");
    if (wanted.length > 0) await bisect(wanted, readSome, leaveOut);
    return { found, missing };
  };
  /** A tally that is not loaded lacks what Postgres has. */
  return async (batch: CounterBatch): Promise<Sketch[]> => {
    const wanted = batch.counts
      .filter(({ viewersChanged }) => viewersChanged)
      .map(({ productId, period }) => ({ productId, period: periodNamed(period) }));
    const { found, missing } = await read(batch, wanted);
    if (missing.length === 0) return found;
    await reload.load(missing, clock.nowMs());
    return [...found, ...(await read(batch, missing)).found];
  };
}
