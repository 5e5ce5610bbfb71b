/**
 * Who pays how much for what is asked: from the bucket of whoever asks, from that of their
 * neighbourhood, and from one for each kind of operation that is counted by itself.
 *
 * A flood is refused by memory. Without Redis each process counts by itself, with its share of the
 * limits: after one late reply Redis is not asked before it has answered a probe.
 */
import { randomUUID } from "node:crypto";
import { RateLimited, ServiceUnavailable } from "../../domain/errors.js";
import {
  type Bucket,
  type BucketKind,
  type BucketRule,
  type BucketStatus,
  OPERATION_CLASSES,
  type OperationClass,
} from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";
import type { Breaker } from "../../redis/client/breaker.js";
import type { Debit, DebitResult, Limiter } from "../../redis/rate-limiter/limiter.js";
import { createLocalLimiter } from "./local-limiter.js";
import { createRejectionCache, type RejectionCache } from "./rejection-cache.js";

/** Whoever pays. */
export interface Payer {
  readonly kind: "viewer" | "address" | "service";
  /** Tells them from others of their kind. */
  readonly name: string;
  /**
   * The block of addresses they ask from; the operator's own service is not held for its
   * neighbours.
   */
  readonly block: string | null;
  /** They show a token that is new here: they may turn out to be somebody else. */
  readonly isUnverified?: boolean;
}

/** What is asked. */
export interface Charge {
  /** The most that it can cost. */
  readonly cost: number;
  /** Whether it may turn out to cost less. */
  readonly varies: boolean;
  readonly classes: ReadonlyMap<OperationClass, number>;
}

/** What was paid. */
export interface Paid {
  readonly charge: Charge;
  /** How the buckets stood after it, the payer's own first. */
  readonly buckets: readonly BucketStatus[];
  /**
   * Says what it has cost in the end, once: the rest is given back. Answers how the payer's own
   * bucket stands then. Sends, and waits for nothing.
   */
  settle(actual: number): BucketStatus | undefined;
}

/** Takes payment. */
export interface Limits {
  /** Refuses what is certain to be refused, without asking anybody. Throws RateLimited. */
  check(payer: Payer, charge: Charge): void;
  /** Whether anything of a payer's was refused lately. */
  recentlyRejected(payer: Payer): boolean;
  /**
   * Takes a cost; the command leaves before this returns. Rejects with RateLimited, and then
   * nothing was taken.
   */
  charge(payer: Payer, charge: Charge): Promise<Paid>;
  /**
   * Takes the cost of what was done already, also from a bucket that has less: what follows waits
   * for it. Waits for nothing.
   */
  owe(payer: Payer, cost: number): void;
}

/** What limits report. */
export interface LimitTelemetry {
  /** A kind of bucket paid for a request or refused it; "refused here" without asking Redis. */
  limit(bucket: string, outcome: "admitted" | "refused" | "refused here"): void;
}

/** What limits take. */
export interface LimitsDeps {
  readonly limiter: Limiter;
  readonly breaker: Breaker;
  readonly rules: Readonly<Record<BucketKind, BucketRule>>;
  /**
   * What one operation may cost: a share of a limit is never less, or such a one could not be asked
   * at all.
   */
  readonly largest: number;
  /** How many processes share the limits while each has to count by itself. */
  readonly processes: number;
  readonly telemetry: LimitTelemetry;
}

export function createLimits({
  limiter,
  breaker,
  rules,
  processes,
  largest,
  telemetry,
}: LimitsDeps): Limits {
  const nowMs = () => performance.now();
  const [local, memory] = [createLocalLimiter(nowMs), createRejectionCache(nowMs)];
  const shareOf = ([kind, rule]: [string, BucketRule]) =>
    [kind, processShare(rule, processes, COUNTED_KINDS.has(kind) ? 1 : largest)] as const;
  const shares = Object.fromEntries(Object.entries(rules).map(shareOf)) as typeof rules;

  /** By Redis, else by this process alone with its share. */
  const take = async (payer: Payer, charge: Charge, from: Sources): Promise<Asked> => {
    const sentAtMs = nowMs();
    if (breaker.isClosed()) {
      const takes = debitsOf(payer, charge, rules);
      try {
        return { taken: await from.shared(takes), takes, isShared: true, sentAtMs };
      } catch (error) {
        if (!(error instanceof ServiceUnavailable)) throw error;
        breaker.trip(error);
      }
    }
    const takes = debitsOf(payer, charge, shares);
    return { taken: from.alone(takes), takes, isShared: false, sentAtMs };
  };
  /**
   * Remembers what a bucket had left, at the earliest moment that this can be of: it never has more
   * than is remembered.
   */
  const note = ({ taken, takes, sentAtMs }: Asked, bucket: Bucket): void =>
    memory.note(
      bucket,
      taken.remaining[takes.findIndex((one) => one.bucket === bucket)] ?? 0,
      sentAtMs,
    );

  const check = (payer: Payer, charge: Charge): void => {
    const takes = debitsOf(payer, charge, rules);
    const known = memory.rejects(takes);
    if (!known?.refused) return;
    telemetry.limit(known.refused.bucket.kind, "refused here");
    throw rejection(known, takes);
  };

  const limits: Limits = {
    check,
    recentlyRejected: (payer) =>
      debitsOf(payer, NOTHING, rules).some(({ bucket }) => memory.recentlyRejected(bucket)),
    async charge(payer, charge) {
      check(payer, charge);
      const hold = charge.varies ? randomUUID() : null;
      const asked = await take(payer, charge, {
        shared: (takes) => limiter.consume(hold, takes),
        alone: local.consume,
      });
      const { taken, takes, isShared } = asked;
      if (taken.refused) {
        const { bucket } = taken.refused;
        note(asked, bucket);
        telemetry.limit(bucket.kind, "refused");
        throw rejection(taken, takes);
      }
      telemetry.limit(payer.kind, "admitted");
      return toPaid({
        taken,
        takes,
        charge,
        giveBack: (surplus) =>
          hold !== null && isShared && refund({ limiter, memory }, hold, takes, surplus),
        // What turned out dearer than it was declared, such as a list longer than the longest.
        owe: (cost) => limits.owe(payer, cost),
      });
    },
    owe(payer, cost) {
      take(payer, { ...NOTHING, cost }, { shared: limiter.owe, alone: local.owe })
        .then((asked) => {
          // A flood of what is only owed for would never hear a refusal from Redis.
          for (const [at, { bucket }] of asked.takes.entries())
            if ((asked.taken.remaining[at] ?? 0) < LEAST_COST) note(asked, bucket);
        })
        .catch(() => {});
    },
  };
  return limits;
}

/**
 * Gives back what a hold took too much. Fire and forget: a lost refund is restored by the refill
 * rate.
 */
function refund(
  { limiter, memory }: { readonly limiter: Limiter; readonly memory: RejectionCache },
  hold: string,
  takes: readonly Debit[],
  surplus: number,
): void {
  const own = takes.filter(({ bucket }) => !COUNTED_KINDS.has(bucket.kind));
  const forget = () => {
    for (const { bucket } of own) memory.forget(bucket);
  };
  forget();
  // Again once it is back: a refusal that Redis sent before it may have been remembered meanwhile.
  limiter.settle(hold, own, surplus).then(forget, () => {});
}

/** Where a cost is taken from. */
interface Sources {
  shared(takes: readonly Debit[]): Promise<DebitResult>;
  alone(takes: readonly Debit[]): DebitResult;
}

/** What became of it. `sentAtMs` is before whatever Redis says was so. */
interface Asked {
  readonly taken: DebitResult;
  readonly takes: readonly Debit[];
  readonly isShared: boolean;
  readonly sentAtMs: number;
}

/** With less than this nothing can be asked for. */
const LEAST_COST = 1;
const NOTHING: Charge = { cost: 0, varies: false, classes: new Map() };
/** Buckets of operations: an attempt stays one, whatever comes of it. */
const COUNTED_KINDS: ReadonlySet<string> = new Set(OPERATION_CLASSES);

function debitsOf(
  { kind, name, block }: Payer,
  { cost, classes }: Charge,
  rules: LimitsDeps["rules"],
): Debit[] {
  const takes: Debit[] = [{ bucket: { kind, name, rule: rules[kind] }, cost }];
  if (block !== null)
    takes.push({ bucket: { kind: "block", name: block, rule: rules.block }, cost });
  if (kind !== "service")
    for (const [operation, count] of classes)
      takes.push({
        bucket: { kind: operation, name: `${kind}:${name}`, rule: rules[operation] },
        cost: count,
      });
  return takes;
}

/** A process's part of a limit. */
const processShare = (
  { burst, perSecond }: BucketRule,
  processes: number,
  least: number,
): BucketRule => ({
  burst: Math.min(burst, Math.max(least, burst / processes)),
  perSecond: perSecond / processes,
});

function rejection(taken: DebitResult, takes: readonly Debit[]): RateLimited {
  const { bucket, waitMs } = taken.refused as NonNullable<DebitResult["refused"]>;
  const retryAfterMs = Math.max(1, Math.ceil(waitMs));
  const seconds = Math.ceil(retryAfterMs / SECOND);
  const wait = `${seconds} second${seconds === 1 ? "" : "s"}`;
  const message = `Too much was asked for lately. Try again in ${wait}.`;
  return new RateLimited(message, retryAfterMs, {
    bucket: bucket.kind,
    buckets: statusesOf(taken, takes),
  });
}

function statusesOf({ remaining }: DebitResult, takes: readonly Debit[]): BucketStatus[] {
  return takes.map(({ bucket }, index) => bucketStatus(bucket, remaining[index] ?? 0));
}

function bucketStatus(
  { kind, rule: { burst, perSecond } }: Bucket,
  remaining: number,
): BucketStatus {
  const left = Math.max(0, Math.min(burst, remaining));
  const resetInMs = ((burst - left) / perSecond) * SECOND;
  return {
    bucket: kind,
    limit: burst,
    remaining: Math.floor(left),
    restorePerSecond: perSecond,
    resetInMs,
  };
}

interface LimitCharge {
  readonly taken: DebitResult;
  readonly takes: readonly Debit[];
  readonly charge: Charge;
  giveBack(surplus: number): void;
  owe(cost: number): void;
}

function toPaid({ taken, takes, charge, giveBack, owe }: LimitCharge): Paid {
  const paidAtMs = performance.now();
  let isSettled = false;
  return {
    charge,
    buckets: statusesOf(taken, takes),
    settle(actual) {
      const surplus = Math.max(0, charge.cost - actual);
      if (!isSettled && surplus > 0) giveBack(surplus);
      if (!isSettled && actual > charge.cost) owe(actual - charge.cost);
      isSettled = true;
      const bucket = takes[0]?.bucket;
      if (!bucket) return undefined;
      const restored = ((performance.now() - paidAtMs) * bucket.rule.perSecond) / SECOND;
      return bucketStatus(bucket, (taken.remaining[0] ?? 0) + restored + surplus);
    },
  };
}
