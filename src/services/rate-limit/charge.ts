/** Who pays for a request, what it costs, and from which buckets. */
import {
  type BucketKind,
  type BucketRule,
  OPERATION_CLASSES,
  type OperationClass,
} from "../../domain/limits.js";
import type { Debit } from "../../redis/rate-limiter/limiter.js";

export interface Payer {
  readonly kind: "viewer" | "address" | "service";
  /** Unique within the kind. */
  readonly name: string;
  /**
   * The block of addresses of the request; null for the
   * operator's own service, which pays for no neighbours.
   */
  readonly block: string | null;
  /** Shows a token that is new here, and may be another payer. */
  readonly isUnverified?: boolean;
}

export interface Charge {
  /** Upper bound of the cost. */
  readonly cost: number;
  /** Whether it may turn out to cost less. */
  readonly varies: boolean;
  readonly classes: ReadonlyMap<OperationClass, number>;
  /** Whether credit may pay for it: its cost is exact. */
  readonly takesCredit?: boolean;
}

export const NO_CHARGE: Charge = { cost: 0, varies: false, classes: new Map() };

/** Buckets of operations: an attempt counts, whatever its outcome. */
export const COUNTED_KINDS: ReadonlySet<string> = new Set(OPERATION_CLASSES);

export type BucketRules = Readonly<Record<BucketKind, BucketRule>>;

/**
 * The payer's own bucket first, then its block, then
 * one for each class of operations.
 */
export function debitsOf(
  { kind, name, block }: Payer,
  { cost, classes }: Charge,
  rules: BucketRules,
): Debit[] {
  const debits: Debit[] = [{ bucket: { kind, name, rule: rules[kind] }, cost }];
  if (block !== null)
    debits.push({ bucket: { kind: "block", name: block, rule: rules.block }, cost });
  if (kind === "service") return debits;
  const counted = [...classes].map(([operation, count]) => ({
    bucket: { kind: operation, name: `${kind}:${name}`, rule: rules[operation] },
    cost: count,
  }));
  return [...debits, ...counted];
}
