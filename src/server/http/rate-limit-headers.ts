/**
 * `RateLimit-Policy`, `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-11) and `Retry-After`.
 *
 * A policy is a bucket: `q` its size, `w` the seconds to fill it.
 * `r` is what remains. `t` is the seconds until it is full, or
 * until a retry can succeed. The unit is cost, at least one a
 * request.
 */
import { RateLimited } from "../../domain/errors.js";
import type { BucketStatus } from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";

/** Empty where nothing is limited. */
export function rateLimitHeaders(
  buckets: readonly BucketStatus[],
  refusal?: unknown,
): Record<string, string> {
  const refused = refusal instanceof RateLimited ? refusal : null;
  const waitSeconds = refused ? Math.ceil(refused.retryAfterMs / SECOND) : 0;
  if (buckets.length === 0) return refused ? { "retry-after": `${waitSeconds}` } : {};
  const policies = buckets.map(
    ({ bucket, limit, restorePerSecond }) =>
      `"${bucket}";q=${Math.floor(limit)};w=${Math.ceil(limit / restorePerSecond)}`,
  );
  const states = buckets.map(({ bucket, remaining, resetInMs }) => {
    const seconds = refused?.about.bucket === bucket ? waitSeconds : Math.ceil(resetInMs / SECOND);
    return `"${bucket}";r=${remaining};t=${seconds}`;
  });
  return {
    "ratelimit-policy": policies.join(", "),
    ratelimit: states.join(", "),
    ...(refused && { "retry-after": `${waitSeconds}` }),
  };
}
