/**
 * The work behind the API: the outbox, broadcasts, boards, counters, what runs out, and the beat
 * that shows that it is done.
 */

import { createActivityTable } from "../db/activity.js";
import { createCounterTable } from "../db/counters/counters.js";
import { createNotificationTable } from "../db/notification/inbox.js";
import { createOperationTable } from "../db/operations.js";
import { startBeats } from "../jobs/beats.js";
import { createJobHealth } from "../jobs/health.js";
import { startOutboxRelay } from "../jobs/outbox-relay.js";
import { startPruning } from "../jobs/prune.js";
import { type Job, type RunnerDeps, startJob } from "../jobs/runner.js";
import { createHealthServer } from "../server/http/health-server.js";
import { startCounterJobs } from "./counters.js";
import type { Closing } from "./disposer.js";
import type { ComposeOptions, Floor } from "./infrastructure.js";
import { startNotificationJobs } from "./notification.js";
import { createWorkerReadiness } from "./readiness.js";

/** A running worker. */
export interface Worker {
  /** Where its probes and metrics are; null where no port is set. */
  readonly healthUrl: string | null;
}

/**
 * Starts everything that a worker does. Its probes are the first to answer and the last to stop.
 */
export async function startWorker(
  floor: Floor,
  { config, log }: ComposeOptions,
  closing: Closing,
): Promise<Worker> {
  const { database, metrics } = floor;
  const health = createJobHealth(log);
  metrics.readJobsFrom(health.states);
  const state = { draining: false };
  const readiness = createWorkerReadiness(floor, health.states);
  const probes = { readiness, isDraining: () => state.draining, metrics };
  const healthUrl = await openProbes(config, log, probes, closing);
  const runner: RunnerDeps = { database, health };
  const beats = await startBeats(runner, {
    workers: floor.workers,
    everyMs: config.worker.beatMs,
    log,
  });
  closing.add(() => beats.close());
  for (const start of [startRelay, startUpkeep, startPrunes, startCounting, startSending]) {
    const job = await start(floor, runner, { config, log });
    closing.add(() => job.close());
  }
  closing.add(() => {
    state.draining = true;
  });
  return { healthUrl };
}

type Probes = Pick<
  Parameters<typeof createHealthServer>[0],
  "readiness" | "isDraining" | "metrics"
>;

async function openProbes(
  { worker, http }: ComposeOptions["config"],
  log: ComposeOptions["log"],
  probes: Probes,
  closing: Closing,
) {
  if (worker.port === undefined) return null;
  const server = await createHealthServer({ ...probes, host: http.host, port: worker.port, log });
  closing.add(() => server.close());
  return server.url;
}

type Start = (
  floor: Floor,
  runner: RunnerDeps,
  options: Pick<ComposeOptions, "config" | "log">,
) => Promise<Job>;

const startRelay: Start = ({ outbox }, runner, { config }) =>
  startOutboxRelay(runner, { outbox, ...config.outbox });

const startUpkeep: Start = ({ boards }, runner, { config }) =>
  startJob(runner, {
    name: "leaderboards",
    everyMs: config.boards.upkeepMs,
    firstMs: 0,
    work: () => boards.upkeep.run(),
  });

const startPrunes: Start = ({ database, revocationTable, auditTable }, runner) =>
  startPruning(runner, {
    tables: {
      operations: createOperationTable(database),
      revocations: revocationTable,
      audit: auditTable,
      counters: createCounterTable(database),
      activity: createActivityTable(database),
      notifications: createNotificationTable(database),
    },
  });

const startCounting: Start = (floor, runner, { config, log }) =>
  startCounterJobs(floor, runner, config, log);

const startSending: Start = (floor, runner, { config: { outbox }, log }) =>
  startNotificationJobs(floor, runner, { retry: outbox, pollMs: outbox.pollMs, log });
