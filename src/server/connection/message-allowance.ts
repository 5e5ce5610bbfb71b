/**
 * The work of messages: what the subscriptions of one caller execute over time, on this process.
 *
 * A subscription pays for its first values. What follows is caused by others, who paid for their
 * change and not for who watches it. So every caller has an allowance for messages, as large and as
 * fast as the bucket of their operations, that each executed message is taken from. It may go below
 * zero; until it is filled again, the caller's values wait. Nothing is lost: a snapshot that waits
 * is conflated. Where many share a message, one of them pays for it; a group waits only while no
 * subscriber in it has anything left.
 */
import { LRUCache } from "lru-cache";
import type { BucketRule } from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";
import type { Payer } from "../../services/rate-limit/limits.js";

/** Keeps the allowances of a process. */
export interface MessageAllowance {
  /** Takes the cost of a message from one of those who get it. */
  spend(payers: Iterable<Payer>, cost: number): void;
  /** How long until one of them has something left; 0 where one has. */
  waitMs(payers: Iterable<Payer>): number;
}

/** Callers that are told apart; one that is forgotten begins anew. */
const MAX_CALLERS = 100_000;
/** So many of those who share a message are looked at. */
const MAX_PAYERS_SCANNED = 32;

export function createMessageAllowance(
  rules: Readonly<Record<Payer["kind"], BucketRule>>,
  nowMs: () => number = () => performance.now(),
): MessageAllowance {
  const known = new LRUCache<string, { left: number; atMs: number }>({ max: MAX_CALLERS });
  const leftOf = (payer: Payer): number => {
    const { burst, perSecond } = rules[payer.kind];
    const entry = known.get(keyOf(payer));
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
      if (best) known.set(keyOf(best.payer), { left: best.left - cost, atMs: nowMs() });
    },
    waitMs(payers) {
      const best = richest(payers);
      return best && best.left < 0 ? (-best.left / rules[best.payer.kind].perSecond) * SECOND : 0;
    },
  };
}

const keyOf = ({ kind, name }: Payer): string => `${kind} ${name}`;
