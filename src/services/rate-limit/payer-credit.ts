/** The credit of one payer in this process. */
import { randomUUID } from "node:crypto";
import type { Bucket, BucketStatus } from "../../domain/limits.js";
import { SECOND } from "../../domain/time/time.js";
import type { Breaker } from "../../redis/client/breaker.js";
import type { Debit, DebitResult, Limiter } from "../../redis/rate-limiter/limiter.js";
import { bucketStatus } from "./bucket-status.js";
import { type BucketRules, debitsOf, NO_CHARGE, type Payer } from "./charge.js";
import type { CreditHolders } from "./credit-holders.js";

export const CREDIT_MS = SECOND / 10;
/** Share of a bucket that one process may hold as credit. */
const BURST_SHARE = 1 / 16;
/** One request alone needs no credit. */
const MIN_REQUESTS = 2;
/** Near its limit a payer gains nothing by credit. */
const PAUSE_MS = SECOND;
/** Between two replies. With more, statuses are less exact. */
const MAX_CHANGES = 100;

export interface CreditDeps {
  readonly limiter: Pick<Limiter, "consume" | "settle">;
  readonly breaker: Pick<Breaker, "isClosed">;
  readonly rules: BucketRules;
  /** Called when a bucket gets something back. */
  readonly onGivenBack: (bucket: Bucket) => void;
  /** Any clock that only goes forward. */
  readonly nowMs: () => number;
}

/** What was taken from credit, and how the buckets stand. */
export interface CreditCharge {
  readonly buckets: readonly BucketStatus[];
  giveBack(surplus: number): void;
}

export interface PayerCreditDeps extends CreditDeps {
  readonly holders: CreditHolders;
}

/** Cost that was paid ahead at one time. */
interface Advance {
  readonly hold: string;
  readonly endsAtMs: number;
  left: number;
}

export class PayerCredit {
  private readonly debits: readonly Debit[];
  private readonly buckets: readonly Bucket[];
  private readonly most: number;
  private advances: Advance[] = [];
  /** What the buckets had left when Redis was last asked. */
  private known: { readonly remaining: readonly number[]; readonly atMs: number } | null = null;
  /** What was sent to Redis since: no reply that is known has it. */
  private changes: { readonly change: number; readonly atMs: number }[] = [];
  private window = { sinceMs: 0, cost: 0, requests: 0, before: 0 };
  private asking: Promise<void> | null = null;
  private returning: Promise<void> | null = null;
  private readonly settling = new Set<Promise<void>>();
  private asksAtMs = 0;

  constructor(
    private readonly deps: PayerCreditDeps,
    payer: Payer,
  ) {
    this.debits = debitsOf(payer, NO_CHARGE, deps.rules);
    this.buckets = this.debits.map(({ bucket }) => bucket);
    this.most = Math.min(...this.buckets.map(({ rule }) => rule.burst)) * BURST_SHARE;
  }

  take(cost: number): CreditCharge | null {
    const nowMs = this.deps.nowMs();
    const advance = this.advances.find(({ left, endsAtMs }) => left >= cost && nowMs < endsAtMs);
    if (!advance) return null;
    advance.left -= cost;
    this.use(cost);
    return {
      buckets: this.statuses(nowMs),
      giveBack: (surplus) => {
        advance.left += surplus;
      },
    };
  }

  use(cost: number): void {
    // No advance would be enough for it.
    if (cost > this.most) return;
    const nowMs = this.deps.nowMs();
    const { window } = this;
    if (nowMs - window.sinceMs >= CREDIT_MS) {
      const isNext = nowMs - window.sinceMs < 2 * CREDIT_MS;
      this.window = {
        sinceMs: nowMs,
        cost,
        requests: 1,
        before: isNext && window.requests >= MIN_REQUESTS ? window.cost : 0,
      };
    } else {
      window.cost += cost;
      window.requests += 1;
    }
    this.renew(nowMs);
  }

  withCredit(result: DebitResult, atMs: number): DebitResult {
    const { remaining } = result;
    this.know(remaining.slice(0, this.debits.length), atMs);
    const left = this.left(this.deps.nowMs());
    if (left === 0) return result;
    const own = this.debits.length;
    return { ...result, remaining: remaining.map((each, at) => (at < own ? each + left : each)) };
  }

  noteChange(change: number): void {
    this.changes.push({ change, atMs: this.deps.nowMs() });
    if (this.changes.length > MAX_CHANGES) this.changes.shift();
  }

  /** Callers at the same time share one. */
  giveBack(): Promise<void> {
    this.returning ??= this.giveAllBack().finally(() => {
      this.returning = null;
    });
    return this.returning;
  }

  private async giveAllBack(): Promise<void> {
    await this.asking;
    this.pause();
    for (const advance of this.advances.splice(0)) this.settle(advance);
    // Also what ended by itself, and is on its way back.
    await Promise.all(this.settling);
    this.forgetIfEmpty();
  }

  /** @param atMs when Redis was asked */
  private know(remaining: readonly number[], atMs: number): void {
    this.known = { remaining, atMs };
    this.changes = this.changes.filter((change) => change.atMs >= atMs);
  }

  left(nowMs: number): number {
    let left = 0;
    for (const advance of this.advances) if (nowMs < advance.endsAtMs) left += advance.left;
    return left;
  }

  private statuses(nowMs: number): BucketStatus[] {
    const left = this.left(nowMs) + this.changes.reduce((sum, { change }) => sum + change, 0);
    const { remaining = [], atMs = nowMs } = this.known ?? {};
    return this.debits.map(({ bucket }, at) => {
      const restored = ((nowMs - atMs) * bucket.rule.perSecond) / SECOND;
      return bucketStatus(bucket, (remaining[at] ?? 0) + restored + left);
    });
  }

  /** Pays ahead where half of what is expected is left. */
  private renew(nowMs: number): void {
    const { cost, requests, before } = this.window;
    if (this.asking || nowMs < this.asksAtMs || !this.deps.breaker.isClosed()) return;
    if (requests < MIN_REQUESTS && before === 0) return;
    const wanted = Math.min(Math.max(cost, before), this.most);
    if (wanted === 0 || this.left(nowMs) > wanted / 2) return;
    this.deps.holders.add(this, this.buckets);
    this.asking = this.ask(wanted, nowMs).finally(() => {
      this.asking = null;
      this.forgetIfEmpty();
    });
  }

  private async ask(cost: number, nowMs: number): Promise<void> {
    const hold = randomUUID();
    const advance: Advance = { hold, endsAtMs: nowMs + CREDIT_MS, left: cost };
    const debits = this.buckets.map((bucket) => ({ bucket, cost }));
    const result = await this.deps.limiter.consume(hold, debits).catch(() => null);
    if (!result || result.refused) {
      this.pause();
      // Without a reply it may have been taken.
      if (!result) this.settle(advance);
      return;
    }
    this.know(result.remaining, nowMs);
    this.advances.push(advance);
    const lastsMs = Math.max(0, advance.endsAtMs - this.deps.nowMs());
    setTimeout(() => this.end(advance), lastsMs).unref();
  }

  private end(advance: Advance): void {
    const at = this.advances.indexOf(advance);
    if (at === -1) return;
    this.advances.splice(at, 1);
    this.settle(advance);
  }

  /** Gives back what is left, if anything. */
  private settle({ hold, left }: Advance): void {
    if (left === 0) {
      this.forgetIfEmpty();
      return;
    }
    this.reportGivenBack();
    this.noteChange(left);
    const settled = this.deps.limiter
      .settle(hold, this.debits, left)
      // A lost refund is restored by the refill rate.
      .catch(() => {})
      .then(() => {
        this.settling.delete(settled);
        // Again: a refusal may have been remembered meanwhile.
        this.reportGivenBack();
        this.forgetIfEmpty();
      });
    this.settling.add(settled);
  }

  private reportGivenBack(): void {
    for (const bucket of this.buckets) this.deps.onGivenBack(bucket);
  }

  private pause(): void {
    this.asksAtMs = this.deps.nowMs() + PAUSE_MS;
  }

  private forgetIfEmpty(): void {
    if (this.advances.length === 0 && this.settling.size === 0 && !this.asking)
      this.deps.holders.remove(this, this.buckets);
  }
}
