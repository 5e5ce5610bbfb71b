/**
 * Prometheus metrics, one registry per server: reports of the
 * layers below (domain/telemetry/telemetry.ts), of the
 * transport, and of Redis. Every label has a bounded set of
 * values; operation-names.ts bounds operation names.
 */
import { Registry } from "prom-client";
import type { JobState } from "../domain/telemetry/job.js";
import { degradationMetrics, type LayerMetrics, layerMetrics } from "./layer-metrics.js";
import { createLoadMetrics, type LoadMetrics } from "./load-metrics.js";
import { createMetricsSources, type MetricsSources } from "./metrics-sources.js";
import { addJobMetrics, addProcessGauges } from "./process-metrics.js";
import { type SubjectMetrics, subjectMetrics } from "./subject-metrics.js";
import { operationMetrics, type TransportMetrics, transportMetrics } from "./transport-metrics.js";

/** Everything that is counted. */
export interface Metrics
  extends LayerMetrics,
    TransportMetrics,
    SubjectMetrics,
    LoadMetrics,
    MetricsSources {
  /** The jobs of this process. */
  readJobsFrom(states: () => readonly JobState[]): void;
  /** The exposition format, for GET /metrics. */
  render(): Promise<{ contentType: string; text: string }>;
  close(): void;
}

/**
 * Makes the metrics of one server; nothing is shared between
 * two.
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const transport = transportMetrics(registry);
  const layers = layerMetrics(registry);
  const stopSampling = addProcessGauges(registry);
  const { refresh, ...sources } = createMetricsSources(registry);
  return {
    ...operationMetrics(registry),
    ...transport,
    ...layers,
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
      stopSampling();
      registry.clear();
    },
  };
}
