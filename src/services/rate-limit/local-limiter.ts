/**
 * The limiter of one process alone, for while Redis is away: the same rule (GCRA, all buckets or
 * none), on its own clock. Nothing is given back, and what was asked before is forgotten when it is
 * asked first: both are over when Redis is there again.
 */
import { LRUCache } from "lru-cache";
import type { Bucket } from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";
import type { Debit, DebitResult } from "../../redis/rate-limiter/limiter.js";

/** Takes costs, or none. */
export interface LocalLimiter {
  consume(takes: readonly Debit[]): DebitResult;
  /** Takes costs, also from a bucket that has less. */
  owe(takes: readonly Debit[]): DebitResult;
}

/**
 * A flood from many addresses is not to fill the memory: who asked longest ago is forgotten first.
 */
const MAX_LOCAL_BUCKETS = 20_000;

/** @param nowMs any clock that only goes forward */
export function createLocalLimiter(nowMs: () => number): LocalLimiter {
  const debts = new LRUCache<string, { readonly debt: number; readonly atMs: number }>({
    max: MAX_LOCAL_BUCKETS,
  });
  const debtOf = ({ kind, name, rule }: Bucket, now: number): number => {
    const known = debts.get(`${kind}:${name}`);
    return known ? Math.max(0, known.debt - ((now - known.atMs) * rule.perSecond) / SECOND) : 0;
  };
  const take = (takes: readonly Debit[], isOwed: boolean): DebitResult => {
    const now = nowMs();
    const asked = takes.map(({ bucket, cost }) => {
      const debt = debtOf(bucket, now);
      const waitMs =
        isOwed || cost === 0
          ? 0
          : ((debt + cost - bucket.rule.burst) / bucket.rule.perSecond) * SECOND;
      return { bucket, cost, debt, waitMs };
    });
    const binding = asked.reduce((worst, one) => (one.waitMs > worst.waitMs ? one : worst));
    const isRefused = binding.waitMs > 0;
    const remaining = asked.map(({ bucket, cost, debt }) => {
      const after = isRefused ? debt : debt + cost;
      debts.set(`${bucket.kind}:${bucket.name}`, { debt: after, atMs: now });
      return bucket.rule.burst - after;
    });
    return {
      nowUs: now * 1_000,
      remaining,
      refused: isRefused ? { bucket: binding.bucket, waitMs: Math.ceil(binding.waitMs) } : null,
    };
  };
  return { consume: (takes) => take(takes, false), owe: (takes) => take(takes, true) };
}
