/** Metrics that subjects add. */
import { Counter, Histogram, type Registry } from "prom-client";
import { SECOND } from "../domain/time/time.js";

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
export type CountMetric<Label extends string> = (
  labels: Record<Label, string>,
  by?: number,
) => void;
export type ObserveMetric<Label extends string> = (
  labels: Record<Label, string>,
  durationMs: number,
) => void;

/** Adds metrics of a subject. */
export interface SubjectMetrics {
  /** Adds a counter. Returns the function that counts. */
  counter<Label extends string = never>(metric: MetricSpec<Label>): CountMetric<Label>;
  /**
   * Adds a histogram. Returns the function that records a
   * duration, in ms.
   */
  histogram<Label extends string = never>(metric: MetricSpec<Label>): ObserveMetric<Label>;
}

/** Bounds of every histogram of durations, in seconds. */
export const SECONDS_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];

export function subjectMetrics(registry: Registry): SubjectMetrics {
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
