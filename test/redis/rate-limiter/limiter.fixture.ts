/** Limiters of tests, and the judge of what they let through. */
import { onTestFinished } from "vitest";
import type { Bucket, BucketKind } from "../../../src/domain/limits.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import { createLimiter, type Limiter } from "../../../src/redis/rate-limiter/limiter.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";

/** Opens a limiter on a connection of its own, which goes with the test. */
export async function openLimiter({
  url,
  keys,
  keepMs = 60_000,
}: {
  url: string;
  keys: Keys;
  keepMs?: number;
}): Promise<Limiter> {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  return createLimiter(testCaller(connection), keys, { keepMs });
}

/** A bucket. */
export const bucketOf = (
  name: string,
  burst: number,
  perSecond: number,
  kind: BucketKind = "viewer",
): Bucket => ({
  kind,
  name,
  rule: { burst, perSecond },
});

/** A cost that was let through, when, by the Redis clock. */
export interface Spent {
  readonly nowUs: number;
  readonly cost: number;
}

/**
 * By how much the fullest span of time exceeds burst + rate × its length; at most 0 when the limit
 * held. A span that begins and ends with a cost is the worst of its kind, and the fullest one that
 * ends at each cost is found in one pass.
 */
export function excess(spent: readonly Spent[], { rule: { burst, perSecond } }: Bucket): number {
  let [fullest, lastUs, worst] = [0, 0, Number.NEGATIVE_INFINITY];
  for (const { nowUs, cost } of [...spent].sort((a, b) => a.nowUs - b.nowUs)) {
    fullest = Math.max(0, fullest - ((nowUs - lastUs) / 1e6) * perSecond) + cost;
    lastUs = nowUs;
    worst = Math.max(worst, fullest - burst);
  }
  return worst;
}
