/** How one operation reads the cache, and what it found there: passed from the edge down to the cache, one per operation. */
import { NOTHING_SEEN, type Seen } from "./seen.js";

/** What a read was: from the cache, loaded, served beyond its TTL, or not looked up at all. Ordered by how much it weighs. */
export const CACHE_STATUSES = ["HIT", "STALE", "MISS", "BYPASS"] as const;

/** A status of {@link CACHE_STATUSES}. */
export type CacheStatus = (typeof CACHE_STATUSES)[number];

/** What an operation's reads amounted to: the weightiest status and the age of the oldest value served. */
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

  constructor({ seen = NOTHING_SEEN, bypass = false }: { seen?: Seen; bypass?: boolean } = {}) {
    this.seen = seen;
    this.bypass = bypass;
  }

  /** Notes one value served. Called by the cache. */
  note(status: CacheStatus, ageMs: number): void {
    const weightier = this.outcomeSoFar && CACHE_STATUSES.indexOf(this.outcomeSoFar.status) > CACHE_STATUSES.indexOf(status);
    this.outcomeSoFar = {
      status: weightier && this.outcomeSoFar ? this.outcomeSoFar.status : status,
      ageMs: Math.max(this.outcomeSoFar?.ageMs ?? 0, ageMs),
    };
  }

  /** What was read so far; null when the operation read nothing that is cached. */
  get outcome(): ReadingOutcome | null {
    return this.outcomeSoFar;
  }
}
