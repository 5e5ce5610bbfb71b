/**
 * The beat of a worker: its row in `workers` says that it runs, and how its jobs fare. Needs
 * Postgres alone. A beat that fails is tried again with the next one; the last act of a worker is
 * to remove its row.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "pino";
import type { WorkerTable } from "../db/workers.js";
import { type Job, type RunnerDeps, startJob } from "./runner.js";

/** What beats need. */
export interface BeatOptions {
  readonly workers: Pick<WorkerTable, "beat" | "leave">;
  readonly everyMs: number;
  readonly log: Logger;
}

/**
 * Starts beating. Resolves after the first beat, so that a worker that is ready has been seen where
 * Postgres answers.
 */
export async function startBeats(
  runner: RunnerDeps,
  { workers, everyMs, log }: BeatOptions,
): Promise<Job> {
  const [id, startedAt] = [randomUUID(), performance.now()];
  const beat = (): Promise<void> => {
    const [upMs, jobs] = [performance.now() - startedAt, runner.health.states()];
    return workers.beat({ id, host: hostname(), pid: process.pid, upMs, everyMs, jobs });
  };
  await beat().catch((error: Error) =>
    log.warn({ err: error.message }, "the first beat failed and is tried again"),
  );
  const job = await startJob(runner, { name: "beat", everyMs, work: beat });
  return {
    async close() {
      await job.close();
      await workers
        .leave(id)
        .catch((error: Error) =>
          log.debug({ err: error.message }, "the row of this worker stays until it is pruned"),
        );
    },
  };
}
