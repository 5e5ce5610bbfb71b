import type { Bucket } from "../../domain/limits.js";
import { bucketName } from "./bucket-status.js";

/** The credit of a payer, as far as others may have it given back. */
export interface CreditHolder {
  giveBack(): Promise<void>;
  /** What it holds. */
  left(nowMs: number): number;
}

/** Who has credit out of a bucket: several users share a block, for example. */
export class CreditHolders {
  private readonly byBucket = new Map<string, Set<CreditHolder>>();

  of(bucket: Bucket): readonly CreditHolder[] {
    return [...(this.byBucket.get(bucketName(bucket)) ?? [])];
  }

  add(credit: CreditHolder, buckets: readonly Bucket[]): void {
    for (const bucket of buckets) {
      const name = bucketName(bucket);
      const holders = this.byBucket.get(name) ?? new Set();
      this.byBucket.set(name, holders.add(credit));
    }
  }

  remove(credit: CreditHolder, buckets: readonly Bucket[]): void {
    for (const bucket of buckets) {
      const name = bucketName(bucket);
      const holders = this.byBucket.get(name);
      holders?.delete(credit);
      if (holders?.size === 0) this.byBucket.delete(name);
    }
  }
}
