/** Numbers of active users. */

/**
 * A day and its numbers of active users. `weekly` is that of
 * the 7 days up to it, `monthly` of the 30.
 */
export interface ActiveDay {
  readonly day: string;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

/**
 * The users of a week. `returned` counts those who came back
 * one, two… weeks later.
 */
export interface RetainedWeek {
  /** Its Monday. */
  readonly week: string;
  readonly users: number;
  readonly returned: readonly number[];
}

/** Both, the oldest first. */
export interface Activity {
  readonly days: readonly ActiveDay[];
  readonly retention: readonly RetainedWeek[];
}

/** Days of a week and a month of activity. */
export const ACTIVE_SPANS = { week: 7, month: 30 } as const;

/** Most days of one report. */
export const MAX_ACTIVITY_DAYS = 90;

/**
 * Days that are kept: the longest report, the month before
 * its first day, and a margin.
 */
export const ACTIVITY_KEPT_DAYS = 140;
