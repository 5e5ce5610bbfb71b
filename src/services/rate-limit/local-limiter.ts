/**
 * The limiter of one process, while Redis is away. The
 * same rule (GCRA, all buckets or none), by its own
 * clock. Gives nothing back. Beyond a bound it forgets
 * the bucket asked longest ago.
 */
import { LRUCache } from "lru-cache";
import { entriesUpTo } from "../../domain/concurrency/bounded-cache.js";
import type { BucketRule } from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";
import type { Debit, DebitResult } from "../../redis/rate-limiter/limiter.js";
import { bucketName } from "./bucket-status.js";
import { type BucketRules, COUNTED_KINDS } from "./charge.js";

export interface LocalLimiter {
  consume(debits: readonly Debit[]): DebitResult;
  /** Takes costs, also from a bucket that has less. */
  owe(debits: readonly Debit[]): DebitResult;
}

/** Bounds the memory that a flood from many addresses can take. */
const MAX_LOCAL_BUCKETS = 20_000;

interface Debt {
  readonly debt: number;
  readonly atMs: number;
}

/** @param nowMs any clock that only goes forward */
export function createLocalLimiter(nowMs: () => number): LocalLimiter {
  const debts = new LRUCache<string, Debt>(entriesUpTo(MAX_LOCAL_BUCKETS));
  return {
    consume: (debits) => takeLocally(debts, debits, nowMs(), false),
    owe: (debits) => takeLocally(debts, debits, nowMs(), true),
  };
}

function takeLocally(
  debts: LRUCache<string, Debt>,
  debits: readonly Debit[],
  now: number,
  isOwed: boolean,
): DebitResult {
  const asked = debits.map(({ bucket, cost }) => {
    const debt = debtAt(debts.get(bucketName(bucket)), bucket.rule, now);
    const waitMs = isOwed || cost === 0 ? 0 : waitFor(bucket.rule, debt + cost);
    return { bucket, cost, debt, waitMs };
  });
  const binding = asked.reduce((worst, one) => (one.waitMs > worst.waitMs ? one : worst));
  const isRefused = binding.waitMs > 0;
  const remaining = asked.map(({ bucket, cost, debt }) => {
    const after = isRefused ? debt : debt + cost;
    debts.set(bucketName(bucket), { debt: after, atMs: now });
    return bucket.rule.burst - after;
  });
  return {
    nowUs: now * 1_000,
    remaining,
    refused: isRefused ? { bucket: binding.bucket, waitMs: Math.ceil(binding.waitMs) } : null,
  };
}

const debtAt = (known: Debt | undefined, { perSecond }: BucketRule, now: number): number =>
  known ? Math.max(0, known.debt - ((now - known.atMs) * perSecond) / SECOND) : 0;

const waitFor = ({ burst, perSecond }: BucketRule, debt: number): number =>
  ((debt - burst) / perSecond) * SECOND;

/**
 * The rules of one of several processes that count alone.
 * @param largest highest cost of one operation
 */
export function processRules(rules: BucketRules, processes: number, largest: number): BucketRules {
  const shares = Object.entries(rules).map(([kind, rule]) => {
    const least = COUNTED_KINDS.has(kind) ? 1 : largest;
    return [kind, processShare(rule, processes, least)] as const;
  });
  return Object.fromEntries(shares) as BucketRules;
}

const processShare = (
  { burst, perSecond }: BucketRule,
  processes: number,
  least: number,
): BucketRule => ({
  burst: Math.min(burst, Math.max(least, burst / processes)),
  perSecond: perSecond / processes,
});
