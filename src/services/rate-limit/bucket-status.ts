/** What clients see of buckets: their status, and refusals. */
import { RateLimited } from "../../domain/errors.js";
import type { Bucket, BucketStatus } from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";
import type { Debit, DebitResult } from "../../redis/rate-limiter/limiter.js";

/** The error of a refused result. */
export function rejection(result: DebitResult, debits: readonly Debit[]): RateLimited {
  const { bucket, waitMs } = result.refused as NonNullable<DebitResult["refused"]>;
  const retryAfterMs = Math.max(1, Math.ceil(waitMs));
  const seconds = Math.ceil(retryAfterMs / SECOND);
  const wait = `${seconds} second${seconds === 1 ? "" : "s"}`;
  const message = `Too much was asked for lately. Try again in ${wait}.`;
  return new RateLimited(message, retryAfterMs, {
    bucket: bucket.kind,
    buckets: statusesOf(result, debits),
  });
}

export const statusesOf = ({ remaining }: DebitResult, debits: readonly Debit[]): BucketStatus[] =>
  debits.map(({ bucket }, index) => bucketStatus(bucket, remaining[index] ?? 0));

export function bucketStatus(
  { kind, rule: { burst, perSecond } }: Bucket,
  remaining: number,
): BucketStatus {
  const left = Math.max(0, Math.min(burst, remaining));
  return {
    bucket: kind,
    limit: burst,
    remaining: Math.floor(left),
    restorePerSecond: perSecond,
    resetInMs: ((burst - left) / perSecond) * SECOND,
  };
}

/** Unique among all buckets. */
export const bucketName = ({ kind, name }: Bucket): string => `${kind}:${name}`;
