/**
 * Deletes what has run out: idempotency keys past their time, sessions that are dead anyway. A
 * missed run costs only space.
 */
import { HOUR } from "../domain/time/time.js";
import type { JobOptions } from "./runner.js";

/** A table with rows that run out. */
interface Prunable {
  prune(): Promise<unknown>;
}

/** A job for each table, so that one that fails keeps no other from being pruned. */
export const pruneJob = (name: string, table: Prunable, everyMs = HOUR): JobOptions => ({
  name: `pruning ${name}`,
  everyMs,
  work: () => table.prune(),
});
