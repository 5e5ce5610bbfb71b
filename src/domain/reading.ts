/**
 * How one operation reads, and what it found: passed from the edge down to the cache and the
 * counters, one per operation.
 */
import { NOTHING_SEEN, type Seen } from "./seen.js";

/**
 * What a read was: from the cache, loaded, served beyond its TTL, or not looked up at all. Ordered
 * by how much it weighs.
 */
export const CACHE_STATUSES = ["HIT", "STALE", "MISS", "BYPASS"] as const;

/** A status of {@link CACHE_STATUSES}. */
export type CacheStatus = (typeof CACHE_STATUSES)[number];

/**
 * What an operation's reads amounted to: the weightiest status and the age of the oldest value
 * served.
 */
export interface ReadingOutcome {
  readonly status: CacheStatus;
  readonly ageMs: number;
}

/** One operation's way of reading. */
export class Reading {
  /** What the client has seen written; raised when the operation itself writes. */
  seen: Seen;
  /** True where the caller asked to read Postgres directly. */
  readonly bypass: boolean;
  private outcomeSoFar: ReadingOutcome | null = null;
  private usedFallback = false;

  constructor({ seen = NOTHING_SEEN, bypass = false }: { seen?: Seen; bypass?: boolean } = {}) {
    this.seen = seen;
    this.bypass = bypass;
  }

  /** Notes one value served. Called by the cache. */
  note(status: CacheStatus, ageMs: number): void {
    const weightier =
      this.outcomeSoFar &&
      CACHE_STATUSES.indexOf(this.outcomeSoFar.status) > CACHE_STATUSES.indexOf(status);
    this.outcomeSoFar = {
      status: weightier && this.outcomeSoFar ? this.outcomeSoFar.status : status,
      ageMs: Math.max(this.outcomeSoFar?.ageMs ?? 0, ageMs),
    };
  }

  /**
   * Notes that a fallback answered, which may be older than an earlier answer. Called by what has
   * the fallback.
   */
  noteFallback(): void {
    this.usedFallback = true;
  }

  /** Whether any value came from a fallback: the true one is to be read as soon as it can be. */
  get isProvisional(): boolean {
    return this.usedFallback;
  }

  /** What was read so far; null when the operation read nothing that is cached. */
  get outcome(): ReadingOutcome | null {
    return this.outcomeSoFar;
  }
}
