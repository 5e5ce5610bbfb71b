/**
 * Charges requests to buckets: the payer's own, its
 * block of addresses, and each class of operations.
 *
 * The rejection cache refuses a flood without Redis.
 * Redis down: each process counts alone, with its
 * share of the limits. A late reply trips the breaker
 * until Redis answers a probe.
 */
import { randomUUID } from "node:crypto";
import { ServiceUnavailable } from "../../domain/errors.js";
import type { Bucket, BucketStatus } from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";
import type { Breaker } from "../../redis/client/breaker.js";
import type { Debit, DebitResult, Limiter } from "../../redis/rate-limiter/limiter.js";
import { bucketStatus, rejection, statusesOf } from "./bucket-status.js";
import {
  type BucketRules,
  type Charge,
  COUNTED_KINDS,
  debitsOf,
  NO_CHARGE,
  type Payer,
} from "./charge.js";
import { Credits } from "./credit.js";
import { createLocalLimiter, type LocalLimiter, processRules } from "./local-limiter.js";
import { createRejectionCache, type RejectionCache } from "./rejection-cache.js";

/** A charge that was taken. */
export interface Paid {
  readonly charge: Charge;
  /** How the buckets stood after it, the payer's own first. */
  readonly buckets: readonly BucketStatus[];
  /**
   * Takes the actual cost, once: the rest is given back.
   * Returns the status of the payer's own bucket. Sends,
   * and waits for nothing.
   */
  settle(actual: number): BucketStatus | undefined;
}

export interface Limits {
  /** Throws RateLimited for a certain refusal. Without Redis. */
  check(payer: Payer, charge: Charge): void;
  /** Whether a bucket of the payer refused lately. */
  recentlyRejected(payer: Payer): boolean;
  /** Takes a cost from credit at hand (credit.ts); else null. */
  takeCredit(payer: Payer, charge: Charge): Paid | null;
  /**
   * Takes a cost; the command leaves in this turn. Rejects
   * with RateLimited, and then nothing was taken.
   */
  charge(payer: Payer, charge: Charge): Promise<Paid>;
  /**
   * Takes the cost of finished work, also from an empty
   * bucket: later requests wait. Waits for nothing.
   */
  owe(payer: Payer, cost: number): void;
}

export interface LimitTelemetry {
  /** "here" is without Redis: by credit, or from memory. */
  limit(bucket: string, outcome: "admitted" | "admitted here" | "refused" | "refused here"): void;
}

export interface LimitsDeps {
  readonly limiter: Limiter;
  readonly breaker: Breaker;
  readonly rules: BucketRules;
  /**
   * Highest cost of one operation. A process's share is
   * never less, so that each operation can run.
   */
  readonly largest: number;
  /** How many processes share the limits without Redis. */
  readonly processes: number;
  readonly telemetry: LimitTelemetry;
}

export function createLimits(deps: LimitsDeps): Limits {
  const nowMs = () => performance.now();
  const memory = createRejectionCache(nowMs);
  const take = createTaking(deps, nowMs);
  const credits = new Credits({ ...deps, nowMs, onGivenBack: memory.forget });
  const buckets: Buckets = { ...deps, memory, take, credits, local: createLocalLimiter(nowMs) };
  return {
    check: (payer, charge) => refuseKnown(buckets, payer, charge, buckets.memory.rejects),
    recentlyRejected: (payer) =>
      debitsOf(payer, NO_CHARGE, deps.rules).some(({ bucket }) => memory.recentlyRejected(bucket)),
    takeCredit: (payer, charge) => takeCredit(buckets, payer, charge),
    async charge(payer, charge) {
      const credited = takeCredit(buckets, payer, charge);
      if (credited) return credited;
      refuseKnown(buckets, payer, charge, memory.rejectsNow);
      return consume(buckets, payer, charge);
    },
    owe: (payer, cost) => owe(buckets, payer, cost),
  };
}

/** The buckets of all processes, and of this one alone. */
interface Buckets extends LimitsDeps {
  readonly memory: RejectionCache;
  readonly local: LocalLimiter;
  readonly credits: Credits;
  readonly take: ReturnType<typeof createTaking>;
}

/** Where a cost is taken from. */
interface Sources {
  shared(debits: readonly Debit[]): Promise<DebitResult>;
  alone(debits: readonly Debit[]): DebitResult;
}

/** The outcome. `sentAtMs` is no later than the state in `result`. */
interface DebitOutcome {
  readonly result: DebitResult;
  readonly debits: readonly Debit[];
  readonly isShared: boolean;
  readonly sentAtMs: number;
}

/** Takes by Redis, else by this process alone with its share. */
function createTaking(
  { breaker, rules, processes, largest }: LimitsDeps,
  nowMs: () => number,
): (payer: Payer, charge: Charge, from: Sources) => Promise<DebitOutcome> {
  const shares = processRules(rules, processes, largest);
  return async (payer, charge, from) => {
    const sentAtMs = nowMs();
    if (breaker.isClosed()) {
      const debits = debitsOf(payer, charge, rules);
      try {
        return { result: await from.shared(debits), debits, isShared: true, sentAtMs };
      } catch (error) {
        if (!(error instanceof ServiceUnavailable)) throw error;
        breaker.trip(error);
      }
    }
    const debits = debitsOf(payer, charge, shares);
    return { result: from.alone(debits), debits, isShared: false, sentAtMs };
  };
}

/** Throws RateLimited where memory refuses it. */
function refuseKnown(
  { rules, telemetry }: Buckets,
  payer: Payer,
  charge: Charge,
  rejects: RejectionCache["rejects"],
): void {
  const debits = debitsOf(payer, charge, rules);
  const known = rejects(debits);
  if (!known?.refused) return;
  telemetry.limit(known.refused.bucket.kind, "refused here");
  throw rejection(known, debits);
}

function takeCredit({ credits, telemetry }: Buckets, payer: Payer, charge: Charge): Paid | null {
  const taken = charge.takesCredit ? credits.take(payer, charge.cost) : null;
  if (!taken) return null;
  telemetry.limit(payer.kind, "admitted here");
  const { buckets, giveBack } = taken;
  let isSettled = false;
  return {
    charge,
    buckets,
    settle(actual) {
      if (!isSettled && actual < charge.cost) giveBack(charge.cost - actual);
      isSettled = true;
      return buckets[0];
    },
  };
}

async function consume(buckets: Buckets, payer: Payer, charge: Charge): Promise<Paid> {
  const { limiter, local, memory, telemetry, credits } = buckets;
  const hold = charge.varies ? randomUUID() : null;
  const takeOnce = () =>
    buckets.take(payer, charge, {
      shared: (debits) => limiter.consume(hold, debits),
      alone: local.consume,
    });
  let taken = await takeOnce();
  // Credit out of a bucket must not refuse those who share it.
  for (let left = taken.debits.length; left > 0; left -= 1) {
    const refused = taken.isShared && taken.result.refused;
    if (!refused || !(await credits.giveBack(refused.bucket, taken.sentAtMs))) break;
    taken = await takeOnce();
  }
  const { debits, isShared, sentAtMs } = taken;
  const result = isShared ? credits.withCredit(payer, taken.result, sentAtMs) : taken.result;
  if (result.refused) {
    const { bucket } = result.refused;
    noteRemaining(memory, taken, bucket);
    telemetry.limit(bucket.kind, "refused");
    throw rejection(result, debits);
  }
  telemetry.limit(payer.kind, "admitted");
  if (charge.takesCredit) credits.use(payer, charge.cost);
  return toPaid({
    result,
    debits,
    charge,
    giveBack(surplus) {
      if (hold === null || !isShared) return;
      credits.noteChange(payer, surplus);
      refund(buckets, hold, debits, surplus);
    },
    // It cost more than declared: a list exceeded its size.
    owe: (cost) => owe(buckets, payer, cost),
  });
}

function owe({ limiter, local, memory, take, credits }: Buckets, payer: Payer, cost: number): void {
  credits.noteChange(payer, -cost);
  take(payer, { ...NO_CHARGE, cost }, { shared: limiter.owe, alone: local.owe })
    .then((taken) => {
      // Redis never refuses a debt: only this stops a flood
      // of them.
      for (const [at, { bucket }] of taken.debits.entries()) {
        const left = (taken.result.remaining[at] ?? 0) + credits.heldOf(bucket);
        if (left < MIN_COST) noteRemaining(memory, taken, bucket);
      }
    })
    .catch(() => {});
}

/**
 * Remembers what a bucket had left, at the earliest
 * possible time. It never has more.
 */
const noteRemaining = (
  memory: RejectionCache,
  { result, debits, sentAtMs }: DebitOutcome,
  bucket: Bucket,
): void => {
  const place = debits.findIndex((debit) => debit.bucket === bucket);
  memory.note(bucket, result.remaining[place] ?? 0, sentAtMs);
};

/**
 * Gives back the surplus of a hold. Fire and forget: a
 * lost refund is restored by the refill rate.
 */
function refund(
  { limiter, memory }: Pick<Buckets, "limiter" | "memory">,
  hold: string,
  debits: readonly Debit[],
  surplus: number,
): void {
  const own = debits.filter(({ bucket }) => !COUNTED_KINDS.has(bucket.kind));
  const forget = () => {
    for (const { bucket } of own) memory.forget(bucket);
  };
  forget();
  // Again afterwards: a refusal that Redis sent earlier
  // may have been remembered meanwhile.
  limiter.settle(hold, own, surplus).then(forget, () => {});
}

/** A bucket with less admits nothing. */
const MIN_COST = 1;

interface LimitCharge {
  readonly result: DebitResult;
  readonly debits: readonly Debit[];
  readonly charge: Charge;
  giveBack(surplus: number): void;
  owe(cost: number): void;
}

function toPaid({ result, debits, charge, giveBack, owe }: LimitCharge): Paid {
  const paidAtMs = performance.now();
  let isSettled = false;
  return {
    charge,
    buckets: statusesOf(result, debits),
    settle(actual) {
      const surplus = Math.max(0, charge.cost - actual);
      if (!isSettled && surplus > 0) giveBack(surplus);
      if (!isSettled && actual > charge.cost) owe(actual - charge.cost);
      isSettled = true;
      const bucket = debits[0]?.bucket;
      if (!bucket) return undefined;
      const restored = ((performance.now() - paidAtMs) * bucket.rule.perSecond) / SECOND;
      return bucketStatus(bucket, (result.remaining[0] ?? 0) + restored + surplus);
    },
  };
}
