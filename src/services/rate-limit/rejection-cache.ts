/**
 * A local cache of rejections: refuses a flood without
 * Redis.
 *
 * It holds how much a bucket had left, and when. By
 * now the bucket has at most that and its refill.
 * Another process may have refunded meanwhile, so one
 * request a second passes to Redis.
 */
import { LRUCache } from "lru-cache";
import { entriesUpTo } from "../../domain/concurrency/bounded-cache.js";
import type { Bucket } from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";
import type { Debit, DebitResult } from "../../redis/rate-limiter/limiter.js";
import { bucketName } from "./bucket-status.js";

export interface RejectionCache {
  /** A certain refusal, as Redis would answer; else null. */
  rejects(takes: readonly Debit[]): DebitResult | null;
  /** Whether the bucket refused lately. */
  recentlyRejected(bucket: Bucket): boolean;
  /** Remembers what a bucket had left, at `atMs` or later. */
  note(bucket: Bucket, remaining: number, atMs: number): void;
  /** For a bucket with a refund. */
  forget(bucket: Bucket): void;
}

const REMEMBERED_MS = SECOND;
const MAX_BUCKETS = 20_000;

/** @param nowMs any clock that only goes forward */
export function createRejectionCache(nowMs: () => number): RejectionCache {
  const known = new LRUCache<
    string,
    { readonly remaining: number; readonly atMs: number; readonly askedAtMs: number }
  >(entriesUpTo(MAX_BUCKETS));

  /** Most that a bucket can have now; null when unknown or full. */
  const remainingOf = (bucket: Bucket, now: number): number | null => {
    const noted = known.get(bucketName(bucket));
    if (!noted) return null;
    const remaining = noted.remaining + ((now - noted.atMs) * bucket.rule.perSecond) / SECOND;
    if (remaining < bucket.rule.burst) return remaining;
    known.delete(bucketName(bucket));
    return null;
  };
  /**
   * True once a second: that request asks Redis, while
   * the cache refuses the others.
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
