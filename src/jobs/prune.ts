/** Forgets what has run out: idempotency keys that no client repeats any more, sessions that would be dead anyway. Runs every hour; missing a run costs only space. */
import type { Logger } from "pino";
import { HOUR } from "../domain/time.js";

/** A table with rows that run out. */
interface Prunable {
  prune(): Promise<unknown>;
}

/** Starts pruning. `close()` resolves when the run under way has ended. */
export function startPruning({ tables, log }: { tables: readonly Prunable[]; log: Logger }): { close(): Promise<void> } {
  let working: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    working = Promise.all(tables.map((table) => table.prune())).catch((error: Error) =>
      log.debug({ err: error.message }, "pruning is tried again in an hour"),
    );
  }, HOUR);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      await working;
    },
  };
}
