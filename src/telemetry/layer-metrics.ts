/** Metrics of the layers below the transport: reads, Redis, SQL, and degraded parts. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { StateReport } from "../domain/telemetry/degradations.js";
import type { Telemetry } from "../domain/telemetry/telemetry.js";
import { SECOND } from "../domain/time/time.js";
import { SECONDS_BUCKETS } from "./subject-metrics.js";

/** Metrics of the layers below the transport. */
export interface LayerMetrics extends Telemetry {
  /** A part is degraded, or has recovered. */
  degradation(report: StateReport): void;
}

export function layerMetrics(registry: Registry): Telemetry {
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

export function degradationMetrics(registry: Registry): Pick<LayerMetrics, "degradation"> {
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
