/**
 * Deletes what has run out: idempotency keys past their time, sessions that are dead anyway. A
 * missed run costs only space.
 */
import { HOUR } from "../domain/time/time.js";
import { type Job, joined, type RunnerDeps, startJob } from "./runner.js";

/** A table with rows that run out. */
interface Prunable {
  prune(): Promise<unknown>;
}

/** What is pruned. */
export interface PruningOptions {
  /** By name. Each is a job of its own, so that one that fails keeps no other from being pruned. */
  readonly tables: Readonly<Record<string, Prunable>>;
  /** Default one hour. */
  readonly everyMs?: number;
}

/** Starts pruning. */
export async function startPruning(
  runner: RunnerDeps,
  { tables, everyMs = HOUR }: PruningOptions,
): Promise<Job> {
  const jobs = await Promise.all(
    Object.entries(tables).map(([name, table]) =>
      startJob(runner, { name: `pruning ${name}`, everyMs, work: () => table.prune() }),
    ),
  );
  return joined(jobs);
}
