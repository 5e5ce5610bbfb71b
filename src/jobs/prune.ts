/** Forgets idempotency keys that no client will repeat any more. Runs every hour; missing a run costs only space. */
import type { Logger } from "pino";
import type { OperationTable } from "../db/operations.js";
import { HOUR } from "../domain/time.js";

/** Starts pruning. `close()` resolves when the run under way has ended. */
export function startPruning({ operations, log }: { operations: OperationTable; log: Logger }): { close(): Promise<void> } {
  let working: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    working = operations.prune().catch((error: Error) => log.debug({ err: error.message }, "pruning is tried again in an hour"));
  }, HOUR);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      await working;
    },
  };
}
