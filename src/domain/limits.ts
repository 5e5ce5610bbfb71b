/** Limits: what is counted, in which buckets, and what a client is told of them. */

/**
 * Operations that are counted by themselves besides their cost, because each has work behind it
 * that its answer does not show.
 */
export const OPERATION_CLASSES = ["signIn", "checkout"] as const;

/** A class of {@link OPERATION_CLASSES}. */
export type OperationClass = (typeof OPERATION_CLASSES)[number];

/** Whether something names a class. */
export const isOperationClass = (value: unknown): value is OperationClass =>
  OPERATION_CLASSES.some((known) => known === value);

/**
 * What a bucket belongs to: whoever is signed in, an address, the service token, a block of
 * addresses, or a class of operations.
 */
export type BucketKind = "viewer" | "address" | "service" | "block" | OperationClass;

/** How much a bucket holds, and how fast it fills again. */
export interface BucketRule {
  readonly burst: number;
  readonly perSecond: number;
}

/** One bucket. */
export interface Bucket {
  readonly kind: BucketKind;
  /** Whose it is, e.g. an id or an address. */
  readonly name: string;
  readonly rule: BucketRule;
}

/** A bucket as it stood when it was asked. */
export interface BucketStatus {
  readonly bucket: BucketKind;
  readonly limit: number;
  readonly remaining: number;
  readonly restorePerSecond: number;
  /** How long until it is full again if nothing is asked, in ms. */
  readonly resetInMs: number;
}

/** Whose places a request takes. */
export const LOAD_CLASSES = ["address", "viewer", "service"] as const;
export type LoadClass = (typeof LOAD_CLASSES)[number];

/** Why a request is refused. */
export type ShedReason = "in flight" | "one holder" | "bytes" | "event loop";
