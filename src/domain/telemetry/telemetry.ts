/**
 * What the floors and services report while they work. The server turns it into metrics; tests
 * count with it.
 */
export interface Telemetry {
  /** `count` values were served by this level of the cache, or by nobody ("none"). */
  cacheReads(level: "local" | "redis" | "none", count: number): void;
  /** One call of a loader's source for `count` keys of a family, e.g. "product". */
  loads(family: string, count: number): void;
  /**
   * One call of a structure to Redis, e.g. "session find", with its duration; `failed` when it
   * timed out or errored.
   */
  redisRoundTrip(call: string, durationMs: number, failed: boolean): void;
  /** Scores were committed together, in so long. */
  scores(count: number, durationMs: number): void;
  /** One SQL statement with its duration. */
  sqlStatement(durationMs: number, failed: boolean): void;
  /**
   * Somebody tried to sign in or up, or to change their password: "let in", "refused by <bucket>",
   * then "right" if it was.
   */
  signIn(what: "sign-in" | "sign-up", outcome: string): void;
  /**
   * A request was let in at the cost of this kind of bucket, or refused by it: by Redis, or here,
   * without asking.
   */
  limit(bucket: string, outcome: "admitted" | "refused" | "refused here"): void;
}

/** Reports to nobody. */
export const silentTelemetry: Telemetry = {
  cacheReads() {},
  loads() {},
  redisRoundTrip() {},
  scores() {},
  sqlStatement() {},
  signIn() {},
  limit() {},
};
