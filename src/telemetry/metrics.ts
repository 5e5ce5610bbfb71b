/**
 * Prometheus metrics, one registry per server: reports of the
 * layers below (domain/telemetry/telemetry.ts), of the
 * transport, and of Redis. Every label has a bounded set of
 * values; operation-names.ts bounds operation names.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { StateReport } from "../domain/telemetry/degradations.js";
import type { JobState } from "../domain/telemetry/job.js";
import type { Telemetry } from "../domain/telemetry/telemetry.js";
import { SECOND } from "../domain/time/time.js";
import { createLoadMetrics, type LoadMetrics } from "./load-metrics.js";
import { createSources, type MetricsSources } from "./metrics-sources.js";
import { createOperationNames } from "./operation-names.js";

/** How an operation ended. */
export interface OperationObservation {
  readonly transport: "http" | "websocket";
  readonly durationMs: number;
  /** A refusal is the client's fault, a failure ours. */
  readonly outcome: "answered" | "refused" | "failed";
}

/**
 * A metric of a subject. Each label needs a bounded set of
 * values.
 */
export interface MetricSpec<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly Label[];
}

/** Counts `by`, default 1. */
type CountMetric<Label extends string> = (labels: Record<Label, string>, by?: number) => void;
type ObserveMetric<Label extends string> = (
  labels: Record<Label, string>,
  durationMs: number,
) => void;

/** Everything that is counted. */
export interface Metrics extends Telemetry, LoadMetrics, MetricsSources {
  /** Adds a counter. Returns the function that counts. */
  counter<Label extends string = never>(metric: MetricSpec<Label>): CountMetric<Label>;
  /**
   * Adds a histogram. Returns the function that records a
   * duration, in ms.
   */
  histogram<Label extends string = never>(metric: MetricSpec<Label>): ObserveMetric<Label>;
  /** One operation was answered. */
  operation(
    operation: OperationObservation & { readonly name: string; readonly kind: string },
  ): void;
  /** Operation names that always have a label. */
  keepOperations(names: Iterable<string>): void;
  /** Sockets opened (+1) or closed (-1). */
  sockets(by: 1 | -1): void;
  /** Subscriptions started (+1) or ended (-1). */
  subscriptions(by: 1 | -1): void;
  /** `next` messages of subscriptions were handed to sockets. */
  messages(count: number): void;
  /**
   * Groups of subscribers that share messages: begun (+1) or ended
   * (-1).
   */
  fanOutGroups(by: 1 | -1): void;
  /** A part is degraded, or has recovered. */
  degradation(report: StateReport): void;
  /** The jobs of this process. */
  readJobsFrom(states: () => readonly JobState[]): void;
  /** The exposition format, for GET /metrics. */
  render(): Promise<{ contentType: string; text: string }>;
  close(): void;
}

/**
 * Interval at which the event loop is sampled. Node includes it,
 * so it is subtracted from the lag.
 */
const LAG_SAMPLE_MS = 20;
/** Every value of the labels beside an operation's name. */
const OPERATION_LABELS = ["query", "mutation", "subscription", "none"].flatMap((kind) =>
  ["http", "websocket"].flatMap((transport) =>
    ["answered", "refused", "failed"].map((outcome) => ({ kind, transport, outcome })),
  ),
);
const SECONDS_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];

/**
 * Makes the metrics of one server; nothing is shared between
 * two.
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const lag = monitorEventLoopDelay({ resolution: LAG_SAMPLE_MS });
  lag.enable();
  const transport = transportMetrics(registry);
  const floors = floorMetrics(registry);
  addProcessGauges(registry, lag);
  const { refresh, ...sources } = createSources(registry);
  return {
    ...operationMetrics(registry),
    ...transport,
    ...floors,
    ...createLoadMetrics(registry),
    ...degradationMetrics(registry),
    ...subjectMetrics(registry),
    ...sources,
    readJobsFrom: (states) => addJobMetrics(registry, states),
    async render() {
      await refresh();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    close() {
      lag.disable();
      registry.clear();
    },
  };
}

function operationMetrics(registry: Registry): Pick<Metrics, "operation" | "keepOperations"> {
  const labelNames = ["operation", "kind", "transport", "outcome"] as const;
  const durations = new Histogram({
    name: "souk_operation_seconds",
    help: "Operations by name, with their duration.",
    labelNames,
    buckets: SECONDS_BUCKETS,
    registers: [registry],
  });
  const forget = (operation: string) => {
    for (const labels of OPERATION_LABELS) durations.remove({ operation, ...labels });
  };
  const names = createOperationNames(forget, () => performance.now());
  return {
    operation: ({ name, kind, transport, outcome, durationMs }) =>
      durations.observe(
        { operation: names.labelOf(name, outcome === "answered"), kind, transport, outcome },
        durationMs / SECOND,
      ),
    keepOperations: names.keep,
  };
}

function transportMetrics(
  registry: Registry,
): Pick<Metrics, "sockets" | "subscriptions" | "messages" | "fanOutGroups"> {
  const registers = [registry];
  const sockets = new Gauge({ name: "souk_sockets", help: "Open WebSockets.", registers });
  const subscriptions = new Gauge({
    name: "souk_subscriptions",
    help: "Running subscriptions.",
    registers,
  });
  const messages = new Counter({
    name: "souk_messages_total",
    help: "Messages of subscriptions handed to sockets.",
    registers,
  });
  const groups = new Gauge({
    name: "souk_fan_out_groups",
    help: "Groups of subscribers that share their messages.",
    registers,
  });
  return {
    sockets: (by) => sockets.inc(by),
    subscriptions: (by) => subscriptions.inc(by),
    messages: (count) => messages.inc(count),
    fanOutGroups: (by) => groups.inc(by),
  };
}

function degradationMetrics(registry: Registry): Pick<Metrics, "degradation"> {
  const registers = [registry];
  const labelNames = ["part"] as const;
  const degraded = new Gauge({
    name: "souk_degraded",
    help: "1 while a part works worse than it should.",
    labelNames,
    registers,
  });
  const uses = new Counter({
    name: "souk_degraded_uses_total",
    help: "How often a part reported that it works worse, once for each use of a fallback.",
    labelNames,
    registers,
  });
  return {
    degradation({ part, reason }) {
      degraded.set({ part }, Number(reason !== null));
      if (reason !== null) uses.inc({ part });
    },
  };
}

function subjectMetrics(registry: Registry): Pick<Metrics, "counter" | "histogram"> {
  const registers = [registry];
  return {
    counter<Label extends string>({ labelNames = [], ...spec }: MetricSpec<Label>) {
      const counter = new Counter<Label>({ ...spec, labelNames, registers });
      return (labels: Record<Label, string>, by = 1) => counter.inc(labels, by);
    },
    histogram<Label extends string>({ labelNames = [], ...spec }: MetricSpec<Label>) {
      const buckets = SECONDS_BUCKETS;
      const histogram = new Histogram<Label>({ ...spec, labelNames, buckets, registers });
      return (labels: Record<Label, string>, durationMs: number) =>
        histogram.observe(labels, durationMs / SECOND);
    },
  };
}

function floorMetrics(registry: Registry): Telemetry {
  const registers = [registry];
  const reads = new Counter({
    name: "souk_cache_reads_total",
    help: "Values read, by the level that served them.",
    labelNames: ["level"],
    registers,
  });
  const loads = new Counter({
    name: "souk_loads_total",
    help: "Calls of a loader's source.",
    labelNames: ["family"],
    registers,
  });
  const loadedKeys = new Counter({
    name: "souk_loaded_keys_total",
    help: "Keys asked of a loader's source.",
    labelNames: ["family"],
    registers,
  });
  const redis = new Histogram({
    name: "souk_redis_round_trip_seconds",
    help: "Round trips to Redis.",
    labelNames: ["what", "failed"],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  const sql = new Histogram({
    name: "souk_sql_statement_seconds",
    help: "SQL statements.",
    labelNames: ["failed"],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  return {
    cacheReads: (level, count) => reads.inc({ level }, count),
    loads(family, count) {
      loads.inc({ family });
      loadedKeys.inc({ family }, count);
    },
    redisRoundTrip: (what, durationMs, failed) =>
      redis.observe({ what, failed: String(failed) }, durationMs / SECOND),
    sqlStatement: (durationMs, failed) =>
      sql.observe({ failed: String(failed) }, durationMs / SECOND),
  };
}

const NANOSECONDS = 1e9;

function addProcessGauges(registry: Registry, lag: ReturnType<typeof monitorEventLoopDelay>): void {
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
function addJobMetrics(registry: Registry, states: () => readonly JobState[]): void {
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
