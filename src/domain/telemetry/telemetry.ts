/**
 * Measurements of the database, Redis and services. The
 * server turns them into metrics; tests count with them.
 */
export interface Telemetry {
  /**
   * `count` values were served by this level of the cache, or
   * by no level ("none").
   */
  cacheReads(level: "local" | "redis" | "none", count: number): void;
  /**
   * One call of a loader's source for `count` keys of a
   * family, e.g. "product".
   */
  loads(family: string, count: number): void;
  /**
   * One call of a structure to Redis, e.g. "session find",
   * with its duration; `failed` when it timed out or errored.
   */
  redisRoundTrip(call: string, durationMs: number, failed: boolean): void;
  /** One SQL statement with its duration. */
  sqlStatement(durationMs: number, failed: boolean): void;
}

/** Ignores all reports. */
export const silentTelemetry: Telemetry = {
  cacheReads() {},
  loads() {},
  redisRoundTrip() {},
  sqlStatement() {},
};
