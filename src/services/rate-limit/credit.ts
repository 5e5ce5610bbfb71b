/**
 * Credit: cost that a busy payer has paid ahead. This process
 * charges operations of known cost to it, without Redis.
 *
 * Credit is taken out of the shared buckets like any cost. So
 * all processes together admit no more. It is what the payer
 * used in the last tenth of a second. It lasts as long, and
 * the rest is given back. Half used, it is renewed. Buckets
 * refill meanwhile. So a span of time may admit a little more:
 * what they restore in a tenth of a second.
 */
import { LRUCache } from "lru-cache";
import { entriesUpTo } from "../../domain/concurrency/bounded-cache.js";
import type { Bucket } from "../../domain/limits.js";
import type { DebitResult } from "../../redis/rate-limiter/limiter.js";
import { bucketName } from "./bucket-status.js";
import type { Payer } from "./charge.js";
import { CreditHolders } from "./credit-holders.js";
import {
  type CreditCharge,
  type CreditDeps,
  PayerCredit,
  type PayerCreditDeps,
} from "./payer-credit.js";

const MAX_PAYERS = 10_000;

export class Credits {
  private readonly payers = new LRUCache<string, PayerCredit>({
    ...entriesUpTo(MAX_PAYERS),
    dispose: (credit) => void credit.giveBack(),
  });
  private readonly holders = new CreditHolders();
  /** When a bucket got something back, by name. */
  private readonly givenBack = new LRUCache<string, number>(entriesUpTo(MAX_PAYERS));

  private readonly deps: PayerCreditDeps;

  constructor(deps: CreditDeps) {
    const { holders, givenBack } = this;
    const onGivenBack = (bucket: Bucket): void => {
      givenBack.set(bucketName(bucket), deps.nowMs());
      deps.onGivenBack(bucket);
    };
    this.deps = { ...deps, holders, onGivenBack };
  }

  /** Takes a cost from the credit at hand; null without enough. */
  take(payer: Payer, cost: number): CreditCharge | null {
    return this.payers.get(creditName(payer))?.take(cost) ?? null;
  }

  /** Notes a use, and takes credit where more uses are expected. */
  use(payer: Payer, cost: number): void {
    const name = creditName(payer);
    let credit = this.payers.get(name);
    if (!credit) {
      credit = new PayerCredit(this.deps, payer);
      this.payers.set(name, credit);
    }
    credit.use(cost);
  }

  /** How the buckets of a payer stand, with its credit; see {@link DebitResult}. */
  withCredit(payer: Payer, result: DebitResult, atMs: number): DebitResult {
    return this.payers.get(creditName(payer))?.withCredit(result, atMs) ?? result;
  }

  /** What this process holds out of a bucket as credit. */
  heldOf(bucket: Bucket): number {
    const nowMs = this.deps.nowMs();
    return this.holders.of(bucket).reduce((sum, credit) => sum + credit.left(nowMs), 0);
  }

  /** Notes what Redis is to give back, or to take (negative). */
  noteChange(payer: Payer, change: number): void {
    this.payers.get(creditName(payer))?.noteChange(change);
  }

  /**
   * Gives back all credit out of a bucket. False where the
   * bucket got nothing since a moment.
   */
  async giveBack(bucket: Bucket, sinceMs: number): Promise<boolean> {
    await Promise.all(this.holders.of(bucket).map((credit) => credit.giveBack()));
    const atMs = this.givenBack.get(bucketName(bucket));
    return atMs !== undefined && atMs >= sinceMs;
  }
}

/** The payer's own bucket and its block: classes are never paid ahead. */
const creditName = ({ kind, name, block }: Payer): string => `${kind} ${name} ${block}`;
