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
   * One round trip to Redis by the cache or the live core,
   * with its duration; `failed` when it timed out or errored.
   */
  redisRoundTrip(what: string, durationMs: number, failed: boolean): void;
  /** Scores were committed together, with the duration. */
  scores(count: number, durationMs: number): void;
  /** One SQL statement with its duration. */
  sqlStatement(durationMs: number, failed: boolean): void;
  /**
   * An attempt to sign in or up, or to change a password:
   * "let in", "refused by <bucket>", then "right" if it was.
   */
  signIn(what: "sign-in" | "sign-up", outcome: string): void;
  /**
   * A request was charged to this kind of bucket, or refused
   * by it: by Redis, or locally.
   */
  limit(bucket: string, outcome: "admitted" | "refused" | "refused here"): void;
}

/** Ignores all reports. */
export const silentTelemetry: Telemetry = {
  cacheReads() {},
  loads() {},
  redisRoundTrip() {},
  scores() {},
  sqlStatement() {},
  signIn() {},
  limit() {},
};
