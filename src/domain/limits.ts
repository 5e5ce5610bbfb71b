/**
 * Rate limits: classes of operations, buckets, and what
 * clients see of them.
 */

/**
 * Operations with a bucket of their own besides their cost.
 * The cost of their answer does not show their work.
 */
export const OPERATION_CLASSES = ["signIn", "checkout"] as const;

/** A class of {@link OPERATION_CLASSES}. */
export type OperationClass = (typeof OPERATION_CLASSES)[number];

export const isOperationClass = (value: unknown): value is OperationClass =>
  OPERATION_CLASSES.some((known) => known === value);

/**
 * Owner of a bucket: a user, an address, the service token,
 * an address block, or an operation class.
 */
export type BucketKind = "viewer" | "address" | "service" | "block" | OperationClass;

/** Capacity of a bucket, and its refill rate. */
export interface BucketRule {
  readonly burst: number;
  readonly perSecond: number;
}

export interface Bucket {
  readonly kind: BucketKind;
  /** An id or an address, for example. */
  readonly name: string;
  readonly rule: BucketRule;
}

/** State of a bucket when it was asked. */
export interface BucketStatus {
  readonly bucket: BucketKind;
  readonly limit: number;
  readonly remaining: number;
  readonly restorePerSecond: number;
  /** How long until it is full again without charges, in ms. */
  readonly resetInMs: number;
}

/** Who a request in flight is counted for. */
export const LOAD_CLASSES = ["address", "viewer", "service"] as const;
export type LoadClass = (typeof LOAD_CLASSES)[number];

/** Why a request is refused. */
export type ShedReason = "in flight" | "one holder" | "bytes" | "event loop";
