/** The cache: how long values are fresh, and how long a read may wait. */
import { z } from "zod";
import { DAY, HOUR, MINUTE, SECOND } from "../domain/time/time.js";
import { count, type Parsed } from "./values.js";

export const cacheVariables = {
  CACHE_TTL_MS: count(5 * MINUTE).describe("how long a cached value is fresh"),
  CACHE_GRACE_MS: count(HOUR, 0).describe(
    "how long after that it may be served while it is loaded again",
  ),
  CACHE_LEASE_MS: count(2 * SECOND).describe(
    "how long one process may hold the right to load a missing value",
  ),
  CACHE_DEADLINE_MS: count(100).describe(
    "longest wait for a cache read before Postgres is asked instead",
  ),
  CACHE_LOCAL_BYTES: count(64 * 1024 * 1024, 0).describe(
    "size of the cache level inside the process; 0 turns it off",
  ),
  STORED_ANSWERS_BYTES: count(32 * 1024 * 1024, 0).describe(
    "size of the answers to repeated public queries that are stored in the process; 0 stores none",
  ),
  STORED_ANSWERS_SHARED_MAX_AGE: count(0, 0).describe(
    "seconds that shared caches may answer a GET of a public document of the manifest without " +
      "asking; above 0 such a GET may be older than its client's own writes",
  ),
  CACHE_REPORT: z
    .enum(["on", "request"])
    .optional()
    .describe(
      "extensions.cache on every answer, or where the request asks by header; default on, " +
        "request in production",
    ),
};

export const toCache = (
  env: Parsed<typeof cacheVariables>,
  { production }: { readonly production: boolean },
) => ({
  ttlMs: env.CACHE_TTL_MS,
  graceMs: env.CACHE_GRACE_MS,
  leaseMs: env.CACHE_LEASE_MS,
  deadlineMs: env.CACHE_DEADLINE_MS,
  localBytes: env.CACHE_LOCAL_BYTES,
  storedAnswersBytes: env.STORED_ANSWERS_BYTES,
  /** In seconds. */
  sharedMaxAge: env.STORED_ANSWERS_SHARED_MAX_AGE,
  /**
   * How long a tag outlives its last use: longer than any
   * entry that names it.
   */
  tagTtlMs: env.CACHE_TTL_MS + env.CACHE_GRACE_MS + DAY,
  report: env.CACHE_REPORT ?? (production ? ("request" as const) : ("on" as const)),
});
