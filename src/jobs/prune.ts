/**
 * Deletes what has expired: idempotency keys, dead sessions. A
 * missed run costs only space.
 */
import { HOUR } from "../domain/time/time.js";
import type { JobOptions } from "./runner.js";

/** A table with rows that expire. */
interface Prunable {
  prune(): Promise<unknown>;
}

/** One job per table: a failure of one stops no other. */
export const pruneJob = (name: string, table: Prunable, everyMs = HOUR): JobOptions => ({
  name: `pruning ${name}`,
  everyMs,
  work: () => table.prune(),
});
