/**
 * The work behind the API: the outbox, pruning, the jobs of
 * subjects, and the worker's heartbeat.
 */
import { createOperationTable } from "../db/operations.js";
import { startBeats } from "../jobs/beats.js";
import { createJobHealth } from "../jobs/health.js";
import { outboxRelayJob } from "../jobs/outbox-relay.js";
import { pruneJob } from "../jobs/prune.js";
import { type JobOptions, type RunnerDeps, startJob } from "../jobs/runner.js";
import { createHealthServer } from "../server/http/health-server.js";
import type { Opening, OpenSubject } from "./module.js";
import { createWorkerReadiness } from "./readiness.js";

/**
 * Starts the worker. Its probes answer first and stop last.
 * Resolves to their URL; null without a port.
 */
export async function startWorker(
  opening: Opening,
  subjects: readonly OpenSubject[],
): Promise<string | null> {
  const { infrastructure, config, log, disposer } = opening;
  const { database, metrics, workers } = infrastructure;
  const health = createJobHealth(log);
  metrics.readJobsFrom(health.states);
  const state = { draining: false };
  const checks = subjects.flatMap(({ module }) => module.checks ?? []);
  const readiness = createWorkerReadiness(infrastructure, checks, health.states);
  const probes = { readiness, isDraining: () => state.draining, metrics };
  const healthUrl = await openProbes(opening, probes);
  const runner: RunnerDeps = { database, health };
  const beats = await startBeats(runner, { workers, everyMs: config.worker.beatMs, log });
  disposer.add(() => beats.close());
  for (const options of jobsOf(opening, subjects)) {
    const job = await startJob(runner, options);
    disposer.add(() => job.close());
  }
  disposer.add(() => {
    state.draining = true;
  });
  return healthUrl;
}

const jobsOf = (
  { infrastructure: { database, outbox }, config }: Opening,
  subjects: readonly OpenSubject[],
): readonly JobOptions[] => [
  outboxRelayJob(outbox, config.outbox),
  pruneJob("operations", createOperationTable(database)),
  ...subjects.flatMap(({ module }) => module.jobs?.() ?? []),
];

type Probes = Pick<
  Parameters<typeof createHealthServer>[0],
  "readiness" | "isDraining" | "metrics"
>;

async function openProbes(
  { config: { worker, http }, log, disposer }: Opening,
  probes: Probes,
): Promise<string | null> {
  if (worker.port === undefined) return null;
  const server = await createHealthServer({ ...probes, host: http.host, port: worker.port, log });
  disposer.add(() => server.close());
  return server.url;
}
