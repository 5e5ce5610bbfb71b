/** Metrics of the process: its event loop, its memory, its jobs. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, type Registry } from "prom-client";
import type { JobState } from "../domain/telemetry/job.js";
import { SECOND } from "../domain/time/time.js";

/**
 * Interval at which the event loop is sampled. Node includes it,
 * so it is subtracted from the lag.
 */
const LAG_SAMPLE_MS = 20;
const NANOSECONDS = 1e9;

/** Starts to sample the event loop. Returns what ends that. */
export function addProcessGauges(registry: Registry): () => void {
  const lag = monitorEventLoopDelay({ resolution: LAG_SAMPLE_MS });
  lag.enable();
  addLagGauge(registry, lag);
  addMemoryGauge(registry);
  return () => void lag.disable();
}

function addLagGauge(registry: Registry, lag: ReturnType<typeof monitorEventLoopDelay>): void {
  const registers = [registry];
  new Gauge({
    name: "souk_event_loop_lag_seconds",
    help: "Delay of the event loop since the last scrape.",
    labelNames: ["quantile"],
    registers,
    collect() {
      for (const [quantile, value] of [
        ["0.5", lag.percentile(50)],
        ["0.99", lag.percentile(99)],
        ["1", lag.max],
      ] as const) {
        this.set({ quantile }, Math.max(0, value / NANOSECONDS - LAG_SAMPLE_MS / SECOND));
      }
      lag.reset();
    },
  });
}

function addMemoryGauge(registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: "souk_memory_bytes",
    help: "Memory of the process.",
    labelNames: ["kind"],
    registers,
    collect() {
      const { rss, heapUsed, external } = process.memoryUsage();
      for (const [kind, value] of Object.entries({ rss, heapUsed, external }))
        this.set({ kind }, value);
    },
  });
}

/** Durations since the last success: they need no shared clock. */
export function addJobMetrics(registry: Registry, states: () => readonly JobState[]): void {
  const labelNames = ["job"] as const;
  const registers = [registry];
  const gauge = (name: string, help: string, read: (state: JobState) => number): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const state of states()) this.set({ job: state.job }, read(state));
      },
    });
  };
  gauge(
    "souk_job_last_success_seconds",
    "Time since a job last succeeded, or since the start where it has not.",
    ({ sinceSuccessMs }) => sinceSuccessMs / SECOND,
  );
  gauge("souk_job_failing_runs", "Failed runs of a job in a row.", ({ failures }) => failures);
  new Counter({
    name: "souk_job_failures_total",
    help: "Failed runs of a job.",
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { job, failuresTotal } of states()) this.inc({ job }, failuresTotal);
    },
  });
}
