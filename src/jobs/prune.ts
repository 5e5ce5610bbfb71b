/** Forgets what has run out: idempotency keys that no client repeats any more, sessions that would be dead anyway. Runs every hour; missing a run costs only space. */
import type { Logger } from "pino";
import { HOUR } from "../domain/time.js";

/** A table with rows that run out. */
interface Prunable {
  prune(): Promise<unknown>;
}

/** What is pruned. */
interface PruningOptions {
  /** By name. Each is pruned for itself. */
  readonly tables: Readonly<Record<string, Prunable>>;
  /** Default one hour. */
  readonly everyMs?: number;
  readonly log: Logger;
}

/** Starts pruning. `close()` resolves when the run under way has ended. */
export function startPruning({ tables, everyMs = HOUR, log }: PruningOptions): { close(): Promise<void> } {
  const prune = ([name, table]: [string, Prunable]): Promise<unknown> =>
    table
      .prune()
      .catch((error: Error) => log.error({ err: error.message, table: name }, "a table could not be pruned and is tried again later"));
  let working: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    working = Promise.all(Object.entries(tables).map(prune));
  }, everyMs);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      await working;
    },
  };
}
