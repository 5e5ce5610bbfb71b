/**
 * How one operation reads, and what it found. Passed down to
 * the cache and the counters, one per operation.
 */
import type { ReadTrace, StoreRefusal } from "./answer-tags.js";
import { type ConsistencyToken, NO_TOKEN } from "./consistency-token.js";

/**
 * What a read was: from the cache, loaded, served beyond its
 * TTL, or not looked up. In ascending weight.
 */
export const CACHE_STATUSES = ["HIT", "STALE", "MISS", "BYPASS"] as const;

/** A status of {@link CACHE_STATUSES}. */
export type CacheStatus = (typeof CACHE_STATUSES)[number];

/**
 * The weightiest status of an operation's reads, and the age
 * of the oldest value.
 */
export interface ReadOutcome {
  readonly status: CacheStatus;
  readonly ageMs: number;
}

/** What keeps an answer from being stored. */
const REFUSALS: Readonly<Record<CacheStatus, StoreRefusal | null>> = {
  HIT: null,
  STALE: "stale",
  // The cache traces loaded values itself.
  MISS: null,
  BYPASS: "past cache",
};

/** One operation's way of reading. */
export class ReadContext {
  /**
   * The client's consistency token; raised when the operation
   * itself writes.
   */
  seen: ConsistencyToken;
  /** True where the caller asked to read Postgres directly. */
  readonly bypass: boolean;
  /** Follows the reads of an answer that is to be stored. */
  readonly trace: ReadTrace | null;
  private outcomeSoFar: ReadOutcome | null = null;
  private usedFallback = false;

  constructor({
    seen = NO_TOKEN,
    bypass = false,
    trace = null,
  }: { seen?: ConsistencyToken; bypass?: boolean; trace?: ReadTrace | null } = {}) {
    this.seen = seen;
    this.bypass = bypass;
    this.trace = trace;
  }

  /** Records one value served. Called by the cache. */
  record(status: CacheStatus, ageMs: number): void {
    const refusal = REFUSALS[status];
    if (refusal) this.trace?.refuse(refusal);
    const weightier =
      this.outcomeSoFar &&
      CACHE_STATUSES.indexOf(this.outcomeSoFar.status) > CACHE_STATUSES.indexOf(status);
    this.outcomeSoFar = {
      status: weightier && this.outcomeSoFar ? this.outcomeSoFar.status : status,
      ageMs: Math.max(this.outcomeSoFar?.ageMs ?? 0, ageMs),
    };
  }

  /**
   * Records an answer of a fallback, which may be older than
   * an earlier one. Called by the owner of the fallback.
   */
  recordFallback(): void {
    this.usedFallback = true;
    this.trace?.refuse("past cache");
  }

  /**
   * Records a value that is not cached, so no tag covers it.
   * Called by loaders that read past the cache.
   */
  recordUncached(): void {
    this.trace?.refuse("uncached");
  }

  /**
   * Whether any value came from a fallback: the true one is
   * to be read soon.
   */
  get isProvisional(): boolean {
    return this.usedFallback;
  }

  /** What was read so far; null without any cached read. */
  get outcome(): ReadOutcome | null {
    return this.outcomeSoFar;
  }
}
