/** What an operation pays, and gets back when it is known what was done. */
import type { ExecutionResult } from "graphql";
import type { BucketStatus } from "../../domain/limits.js";
import type { Paid } from "../../services/rate-limit/limits.js";
import type { Cost } from "./cost.js";

/** What an answer says about its cost, as `extensions.cost`. */
export interface CostReport {
  readonly requested: number;
  readonly actual: number;
  readonly limit: number;
  readonly remaining: number;
  readonly restorePerSecond: number;
}

/** What an operation has paid, and is given back. */
export class Payment {
  report: CostReport | null = null;

  constructor(
    private readonly cost: Cost,
    private readonly paid: Paid,
  ) {}

  get buckets(): readonly BucketStatus[] {
    return this.paid.buckets;
  }

  /**
   * Settles by the answer. Without one nothing is known of what was done, so nothing is given back.
   */
  settle(result: ExecutionResult | null): BucketStatus | undefined {
    const { requested } = this.cost;
    const actual = result ? this.cost.actual(result.data, result.errors) : requested;
    const bucket = this.paid.settle(actual);
    if (bucket) {
      const { limit, remaining, restorePerSecond } = bucket;
      this.report = { requested, actual, limit, remaining, restorePerSecond };
    }
    return bucket;
  }
}
