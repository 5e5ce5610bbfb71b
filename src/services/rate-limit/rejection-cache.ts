/**
 * What this process was lately told about empty buckets: a flood is refused by it, and costs Redis
 * nothing. It holds what a bucket had left, and when; by now it cannot have more than that and what
 * time has added. Another process may have given something back meanwhile, which is why one asker a
 * second is let through to Redis.
 */
import { LRUCache } from "lru-cache";
import type { Bucket } from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";
import type { Debit, DebitResult } from "../../redis/rate-limiter/limiter.js";

/** Remembers refusals. */
export interface RejectionCache {
  /** What is certain to be refused, as Redis would say it; null when it has to be asked. */
  rejects(takes: readonly Debit[]): DebitResult | null;
  /** Whether a bucket is known to have been empty lately. */
  recentlyRejected(bucket: Bucket): boolean;
  /** Remembers what a bucket had left when it refused, at `atMs` or later. */
  note(bucket: Bucket, remaining: number, atMs: number): void;
  /** Forgets a bucket that was given something back. */
  forget(bucket: Bucket): void;
}

const REMEMBERED_MS = SECOND;
const MAX_BUCKETS = 20_000;

const bucketName = ({ kind, name }: Bucket): string => `${kind}:${name}`;

/** @param nowMs any clock that only goes forward */
export function createRejectionCache(nowMs: () => number): RejectionCache {
  const known = new LRUCache<
    string,
    { readonly remaining: number; readonly atMs: number; readonly askedAtMs: number }
  >({
    max: MAX_BUCKETS,
  });

  /** What a bucket can have by now; null where nothing is known, or what was known says no more. */
  const remainingOf = (bucket: Bucket, now: number): number | null => {
    const noted = known.get(bucketName(bucket));
    if (!noted) return null;
    const remaining = noted.remaining + ((now - noted.atMs) * bucket.rule.perSecond) / SECOND;
    if (remaining < bucket.rule.burst) return remaining;
    known.delete(bucketName(bucket));
    return null;
  };
  /**
   * True for one asker a second: Redis is asked by one, while the others are refused by what was
   * known.
   */
  const isToBeAsked = (bucket: Bucket, remaining: number, now: number): boolean => {
    const noted = known.get(bucketName(bucket));
    if (!noted || now - noted.askedAtMs < REMEMBERED_MS) return false;
    known.set(bucketName(bucket), { remaining, atMs: now, askedAtMs: now });
    return true;
  };
  return {
    rejects(takes) {
      if (known.size === 0) return null;
      const now = nowMs();
      for (const { bucket, cost } of takes) {
        const remaining = cost > 0 ? remainingOf(bucket, now) : null;
        if (remaining === null || cost <= remaining || isToBeAsked(bucket, remaining, now))
          continue;
        const waitMs = Math.ceil(((cost - remaining) / bucket.rule.perSecond) * SECOND);
        const known = takes.map((take) => remainingOf(take.bucket, now) ?? take.bucket.rule.burst);
        return { nowUs: 0, remaining: known, refused: { bucket, waitMs } };
      }
      return null;
    },
    recentlyRejected: (bucket) => known.size > 0 && remainingOf(bucket, nowMs()) !== null,
    note(bucket, remaining, atMs) {
      known.set(bucketName(bucket), { remaining, atMs, askedAtMs: nowMs() });
    },
    forget: (bucket) => void known.delete(bucketName(bucket)),
  };
}
