/**
 * What an operation pays, and the refund once its answer is
 * known.
 */
import type { ExecutionResult } from "graphql";
import type { BucketStatus } from "../../domain/limits.js";
import type { Paid } from "../../services/rate-limit/limits.js";
import type { Cost } from "./cost.js";

/** As `extensions.cost`. */
export interface CostReport {
  readonly requested: number;
  readonly actual: number;
  readonly limit: number;
  readonly remaining: number;
  readonly restorePerSecond: number;
}

export class OperationPayment {
  report: CostReport | null = null;

  constructor(
    private readonly cost: Pick<Cost, "requested" | "actual">,
    private readonly paid: Paid,
  ) {}

  get buckets(): readonly BucketStatus[] {
    return this.paid.buckets;
  }

  /** Refunds by the answer; without one, nothing. */
  settle(result: ExecutionResult | null): BucketStatus | undefined {
    const { requested } = this.cost;
    return this.settleAt(result ? this.cost.actual(result.data, result.errors) : requested);
  }

  /** Refunds by a cost that is known. */
  settleAt(actual: number): BucketStatus | undefined {
    const { requested } = this.cost;
    const bucket = this.paid.settle(actual);
    if (bucket) {
      const { limit, remaining, restorePerSecond } = bucket;
      this.report = { requested, actual, limit, remaining, restorePerSecond };
    }
    return bucket;
  }
}
