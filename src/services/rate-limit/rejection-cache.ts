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
  /**
   * The same for a request that asks Redis next: once a second
   * it is let through. Others of the same request must not use
   * that up.
   */
  rejectsNow(takes: readonly Debit[]): DebitResult | null;
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
  const isToBeAsked = (bucket: Bucket, now: number): boolean => {
    const noted = known.get(bucketName(bucket));
    return noted !== undefined && now - noted.askedAtMs >= REMEMBERED_MS;
  };
  const rejectedBy = (takes: readonly Debit[], now: number): DebitResult | null => {
    for (const { bucket, cost } of takes) {
      const remaining = cost > 0 ? remainingOf(bucket, now) : null;
      if (remaining === null || cost <= remaining || isToBeAsked(bucket, now)) continue;
      const waitMs = Math.ceil(((cost - remaining) / bucket.rule.perSecond) * SECOND);
      const all = takes.map((take) => remainingOf(take.bucket, now) ?? take.bucket.rule.burst);
      return { nowUs: 0, remaining: all, refused: { bucket, waitMs } };
    }
    return null;
  };
  const noteAsked = (takes: readonly Debit[], now: number): void => {
    for (const { bucket, cost } of takes) {
      const remaining = cost > 0 ? remainingOf(bucket, now) : null;
      if (remaining !== null && cost > remaining && isToBeAsked(bucket, now))
        known.set(bucketName(bucket), { remaining, atMs: now, askedAtMs: now });
    }
  };
  return {
    rejects: (takes) => (known.size === 0 ? null : rejectedBy(takes, nowMs())),
    rejectsNow(takes) {
      if (known.size === 0) return null;
      const now = nowMs();
      const rejected = rejectedBy(takes, now);
      if (!rejected) noteAsked(takes, now);
      return rejected;
    },
    recentlyRejected: (bucket) => known.size > 0 && remainingOf(bucket, nowMs()) !== null,
    note(bucket, remaining, atMs) {
      known.set(bucketName(bucket), { remaining, atMs, askedAtMs: nowMs() });
    },
    forget: (bucket) => void known.delete(bucketName(bucket)),
  };
}
