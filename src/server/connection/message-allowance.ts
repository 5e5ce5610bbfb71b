/**
 * The cost of messages over time: what a caller's subscriptions
 * execute, on this process.
 *
 * A subscription pays for its first values. Later ones are caused
 * by others, who paid for their change only. So each caller has
 * an allowance, with the size and rate of its operations' bucket.
 * Each executed message is taken from it. Below zero, the
 * caller's values wait. Nothing is lost: a waiting snapshot is
 * conflated. One subscriber pays for a shared message. A group
 * waits only while all of its subscribers are below zero.
 */
import { LRUCache } from "lru-cache";
import { entriesUpTo } from "../../domain/concurrency/bounded-cache.js";
import type { BucketRule } from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";
import type { Payer } from "../../services/rate-limit/charge.js";

export interface MessageAllowance {
  /** Takes the cost of a message from one of its receivers. */
  spend(payers: Iterable<Payer>, cost: number): void;
  /** Time until one of them has something left; 0 if one has. */
  waitMs(payers: Iterable<Payer>): number;
}

/** Callers remembered; a forgotten one starts full. */
const MAX_CALLERS = 100_000;
/** Receivers of a message that are compared. */
const MAX_PAYERS_SCANNED = 32;

export function createMessageAllowance(
  rules: Readonly<Record<Payer["kind"], BucketRule>>,
  nowMs: () => number = () => performance.now(),
): MessageAllowance {
  const known = new LRUCache<string, { left: number; atMs: number }>(entriesUpTo(MAX_CALLERS));
  const leftOf = (payer: Payer): number => {
    const { burst, perSecond } = rules[payer.kind];
    const entry = known.get(allowanceKey(payer));
    return entry
      ? Math.min(burst, entry.left + ((nowMs() - entry.atMs) * perSecond) / SECOND)
      : burst;
  };
  const richest = (payers: Iterable<Payer>): { payer: Payer; left: number } | null => {
    let best: { payer: Payer; left: number } | null = null;
    let looked = 0;
    for (const payer of payers) {
      const left = leftOf(payer);
      if (!best || left > best.left) best = { payer, left };
      if (++looked === MAX_PAYERS_SCANNED) break;
    }
    return best;
  };
  return {
    spend(payers, cost) {
      const best = richest(payers);
      if (best) known.set(allowanceKey(best.payer), { left: best.left - cost, atMs: nowMs() });
    },
    waitMs(payers) {
      const best = richest(payers);
      return best && best.left < 0 ? (-best.left / rules[best.payer.kind].perSecond) * SECOND : 0;
    },
  };
}

const allowanceKey = ({ kind, name }: Payer): string => `${kind} ${name}`;
