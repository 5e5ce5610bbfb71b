/**
 * Counters of products. A *tally* is the count of one product
 * in one period: all time, a month or a day (UTC). Likes are
 * rows, not tallies.
 */
import { type CalendarSpan, spanNamed } from "./leaderboard/calendar.js";

/** A period: all time, or a span of the calendar. */
export type TallyPeriod = "all" | CalendarSpan;

export interface TallyKey {
  readonly productId: number;
  readonly period: TallyPeriod;
}

/**
 * A number of distinct people: counted, or estimated once
 * they are many.
 */
export interface PeopleCount {
  readonly estimate: number;
  /** Relative standard error; 0 where it was counted. */
  readonly standardError: number;
  readonly exact: boolean;
}

export interface Tally {
  readonly views: number;
  readonly shares: number;
  readonly viewers: PeopleCount;
}

/** One of few viewers, with the number of the day of the last view. */
export interface KnownViewer {
  readonly viewer: string;
  readonly day: number;
}

/** A tally in Postgres, with the last batch that is in it. */
export interface StoredTally {
  /** "" before the first batch of the shard. */
  readonly applied: string;
  readonly views: number;
  readonly shares: number;
  /** Number of viewers when it was written. */
  readonly viewers: number;
  /** A HyperLogLog as Redis writes it; null while there is none. */
  readonly sketch: Buffer | null;
  /** Whether viewers are too many for a list. */
  readonly isOver: boolean;
  /** All time only. */
  readonly few: readonly KnownViewer[];
}

/** The viewers of a tally, to be stored. */
export interface Sketch extends Pick<StoredTally, "viewers" | "isOver" | "few"> {
  readonly productId: number;
  readonly period: string;
  readonly bytes: Buffer | null;
}

/** What a batch adds to one tally. */
export interface BatchCounts {
  readonly productId: number;
  readonly period: string;
  readonly views: number;
  readonly shares: number;
  readonly viewersChanged: boolean;
}

/**
 * Counts of a shard between two flushes. `prev` is the batch
 * before it, "" for the first.
 */
export interface CounterBatch {
  readonly shard: number;
  readonly id: string;
  readonly prev: string;
  readonly counts: readonly BatchCounts[];
  /** Unknown fields that were left out; absent where there are none. */
  readonly unreadable?: number;
}

/**
 * Up to this many viewers of a product are listed. A larger
 * ZSET loses Redis' compact form.
 */
export const EXACT_VIEWERS = 128;

/**
 * Viewers that a product's window remembers, about 100 bytes
 * each; the oldest may count again.
 */
export const MAX_RECENT_VIEWERS = 250_000;

/** Relative standard error of Redis' HyperLogLog: 1.04 / √16384. */
export const ESTIMATE_ERROR = 0.0081;

/** The highest count: what a client can read exactly (SafeInt). */
export const MAX_COUNT = Number.MAX_SAFE_INTEGER;

/** Days of a product that are kept; older ones are in their month. */
export const DAYS_KEPT = 90;

/** Months that are shown at most. */
export const MONTHS_SHOWN = 36;

/** Weights of popularity: a share and a like, in views. */
export const POPULARITY_WEIGHTS = { likes: 10, shares: 20 } as const;

/** Key of a period. */
export const periodName = (period: TallyPeriod): string =>
  period === "all" ? period : period.name;

/** The period of a key. */
export const periodNamed = (name: string): TallyPeriod => (name === "all" ? name : spanNamed(name));

/** Zero is never an estimate. */
export function peopleCount(estimate: number, isExact: boolean): PeopleCount {
  const exact = isExact || estimate === 0;
  return { estimate, standardError: exact ? 0 : ESTIMATE_ERROR, exact };
}
