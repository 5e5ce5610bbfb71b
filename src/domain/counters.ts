/**
 * Counters of products: plain shapes. A *tally* is what was counted about one product in one
 * period: since ever, in a month or on a day (UTC). Likes are not among them: those are facts, one
 * row each.
 */
import { type CalendarSpan, spanNamed } from "./leaderboard/calendar.js";

/** A period: all time, or a span of the calendar. */
export type TallyPeriod = "all" | CalendarSpan;

/** Names a tally. */
export interface TallyKey {
  readonly productId: number;
  readonly period: TallyPeriod;
}

/** A number of distinct people: counted, or estimated once they are many. */
export interface PeopleCount {
  readonly estimate: number;
  /** Relative standard error; 0 where it was counted. */
  readonly standardError: number;
  readonly exact: boolean;
}

/** What was counted. */
export interface Tally {
  readonly views: number;
  readonly shares: number;
  readonly viewers: PeopleCount;
}

/** One of the few viewers of a product, and the number of the day of the last view. */
export interface KnownViewer {
  readonly viewer: string;
  readonly day: number;
}

/** A tally as Postgres has it, with the name of the last batch that is in it. */
export interface StoredTally {
  /** "" before the first batch of the shard. */
  readonly applied: string;
  readonly views: number;
  readonly shares: number;
  /** How many viewers there were when it was written. */
  readonly viewers: number;
  /** A HyperLogLog as Redis writes it; null while there is none. */
  readonly sketch: Buffer | null;
  /** Whether viewers are too many to be known one by one. */
  readonly isOver: boolean;
  /** All time only. */
  readonly few: readonly KnownViewer[];
}

/** The viewers of a tally as they are to be stored. */
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

/** What a shard counted between two flushes. `prev` is the batch before it, "" for the first. */
export interface Batch {
  readonly shard: number;
  readonly id: string;
  readonly prev: string;
  readonly counts: readonly BatchCounts[];
  /** Fields that are none of ours and were left out; absent where there are none. */
  readonly unreadable?: number;
}

/**
 * Up to this many viewers of a product are known one by one. A ZSET of more is no longer kept in
 * Redis' compact form.
 */
export const EXACT_VIEWERS = 128;

/**
 * How many viewers of a product its window remembers, about 100 bytes each; beyond, the oldest may
 * count again.
 */
export const MAX_RECENT_VIEWERS = 250_000;

/** Relative standard error of Redis' HyperLogLog: 1.04 / √16384. */
export const ESTIMATE_ERROR = 0.0081;

/** The highest count: what a client can read exactly (SafeInt). */
export const MAX_COUNT = Number.MAX_SAFE_INTEGER;

/** How many days of a product are told apart; what is older is known by its month. */
export const DAYS_KEPT = 90;

/** How many months are shown at most. */
export const MONTHS_SHOWN = 36;

/**
 * Why a product's order among the popular ones is what it is: its views, and likes and shares at
 * the price of so many views.
 */
export const POPULARITY_WEIGHTS = { likes: 10, shares: 20 } as const;

/** The word a period is kept under. */
export const periodName = (period: TallyPeriod): string =>
  period === "all" ? period : period.name;

/** The period of a word. */
export const periodNamed = (name: string): TallyPeriod => (name === "all" ? name : spanNamed(name));

/** Nobody is never an estimate. */
export function peopleCount(estimate: number, isExact: boolean): PeopleCount {
  const exact = isExact || estimate === 0;
  return { estimate, standardError: exact ? 0 : ESTIMATE_ERROR, exact };
}
