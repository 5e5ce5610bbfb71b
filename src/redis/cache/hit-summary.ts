/**
 * What one level served in one call: summed up first, so
 * that a thousand values cost one report.
 */
import type { ReadContext } from "../../domain/reading/read-context.js";
import type { Telemetry } from "../../domain/telemetry/telemetry.js";
import type { Entry, Freshness } from "./entry.js";

export class HitSummary {
  private count = 0;
  private stale = 0;
  private oldestMs = Number.POSITIVE_INFINITY;

  /** @param nowMs Redis clock */
  constructor(readonly nowMs: number) {}

  /** Notes one value; true when it should be loaded again. */
  add({ storedAtMs }: Entry, freshness: Freshness): boolean {
    this.count += 1;
    if (freshness === "stale") this.stale += 1;
    if (storedAtMs < this.oldestMs) this.oldestMs = storedAtMs;
    return freshness !== "fresh";
  }

  /** Reports to the reader and the metrics. */
  report(level: "local" | "redis", reading: ReadContext, telemetry: Telemetry): void {
    if (this.count === 0) return;
    telemetry.cacheReads(level, this.count);
    reading.record(this.stale > 0 ? "STALE" : "HIT", Math.max(0, this.nowMs - this.oldestMs));
  }
}
