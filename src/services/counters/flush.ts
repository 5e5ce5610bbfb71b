/**
 * Write-behind: what Redis counted is brought to Postgres, shard by shard: set aside, applied in
 * one transaction with its name, dropped. Each step can be repeated and each may be the last: the
 * next flusher finds the batch and goes on where it ended. A shard that fails stops no other.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { CounterTable } from "../../db/counters/counters.js";
import { type Batch, periodNamed, type Sketch, type TallyKey } from "../../domain/counters.js";
import type { Clock } from "../../domain/time/clock.js";
import { type CounterStore, SHARDS } from "../../redis/counters/counters.js";
import { bisect, concernsAll } from "../bisect.js";
import type { CounterTrust } from "./reload.js";

/** Flushes. */
export interface CounterFlush {
  /**
   * Brings everything counted so far to Postgres. Resolves to how many batches were applied;
   * rejects when Redis or Postgres cannot, or, after all others, when a shard could not be brought.
   */
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

/** So many shards that fail in a row by a server say that the server is away. */
const FAILURES_TO_END = 3;
const ALL_SHARDS = Array.from({ length: SHARDS }, (_, shard) => shard);

export function createCounterFlush({
  store,
  table,
  trust,
  clock,
  log,
}: CounterFlushParts): CounterFlush {
  const sketchesOf = createSketchReading({ store, trust, clock, log });
  const bring = async (batch: Batch): Promise<boolean> => {
    if (batch.unreadable)
      log.error(
        { shard: batch.shard, fields: batch.unreadable },
        "counts in Redis cannot be read and are left out",
      );
    const fate = await table.apply(batch, await sketchesOf(batch));
    if (fate === "stray")
      log.warn(
        { shard: batch.shard },
        "Redis counted beside what PostgreSQL has; the shard is adopted again",
      );
    await store.settle(batch, fate === "stray" ? "stray" : "applied");
    return fate === "applied";
  };
  const sealSome = async (
    shards: readonly number[],
    id: string,
    failures: Failures,
  ): Promise<{ sealed: Batch[]; toAdopt: number[] }> => {
    const [sealed, toAdopt]: [Batch[], number[]] = [[], []];
    const seal = async (some: readonly number[]): Promise<void> => {
      for (const [at, batch] of (await store.seal(some, id)).entries()) {
        if (batch === "not-adopted") toAdopt.push(some[at] as number);
        else if (batch) sealed.push(batch);
      }
    };
    if (shards.length > 0) await bisect(shards, seal, (shard, error) => failures.add(shard, error));
    return { sealed, toAdopt };
  };
  const seal = async (
    shards: readonly number[],
    id: string,
    failures: Failures,
  ): Promise<Batch[]> => {
    const first = await sealSome(shards, id, failures);
    for (const shard of first.toAdopt) await failures.alone(shard, () => trust.adopt(shard));
    return [...first.sealed, ...(await sealSome(first.toAdopt, id, failures)).sealed];
  };
  /** What waits behind a batch that another flusher left is brought right after it, once. */
  const bringAll = async (
    shards: readonly number[],
    isAgain: boolean,
    failures: Failures,
  ): Promise<number> => {
    const id = randomUUID();
    let applied = 0;
    const again: number[] = [];
    for (const batch of await seal(shards, id, failures)) {
      const done = await failures.alone(batch.shard, () => bring(batch));
      if (done) applied += 1;
      if (done !== null && batch.id !== id && !isAgain) again.push(batch.shard);
    }
    return again.length > 0 ? applied + (await bringAll(again, true, failures)) : applied;
  };
  return {
    async flush() {
      const failures = new Failures(log);
      const applied = await bringAll(ALL_SHARDS, false, failures);
      failures.throwFirst();
      return applied;
    },
  };
}

/**
 * Shards that failed in one flush. What such a shard owes stays in Redis and is tried again by the
 * next flush.
 */
class Failures {
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
   * Runs `work` for one shard; null where it failed. Rejects when a server has failed several in a
   * row: it is away. One that times out alone waits for rows that another session holds.
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

/**
 * Reads the viewers of a batch; a tally that Redis refuses to read keeps those that Postgres has.
 */
function createSketchReading({
  store,
  trust,
  clock,
  log,
}: Pick<CounterFlushParts, "store" | "trust" | "clock" | "log">) {
  const read = async (batch: Batch, wanted: readonly TallyKey[]) => {
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
  /**
   * A tally that is not loaded holds only what was counted here since; loading brings in what
   * Postgres knows.
   */
  return async (batch: Batch): Promise<Sketch[]> => {
    const wanted = batch.counts
      .filter(({ viewersChanged }) => viewersChanged)
      .map(({ productId, period }) => ({ productId, period: periodNamed(period) }));
    const { found, missing } = await read(batch, wanted);
    if (missing.length === 0) return found;
    await trust.load(missing, clock.nowMs());
    return [...found, ...(await read(batch, missing)).found];
  };
}
