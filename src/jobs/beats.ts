/**
 * A worker's heartbeat: its row in `workers` says that it runs,
 * and how its jobs fare. Uses Postgres alone. A failed beat is
 * retried with the next. The last act of a worker removes its
 * row.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "pino";
import type { WorkerTable } from "../db/workers.js";
import { type Job, type RunnerDeps, startJob } from "./runner.js";

export interface BeatOptions {
  readonly workers: Pick<WorkerTable, "beat" | "leave">;
  readonly everyMs: number;
  readonly log: Logger;
}

/**
 * Starts beating. Resolves after the first beat: a ready worker
 * has been seen while Postgres answers.
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
