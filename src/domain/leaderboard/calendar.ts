/**
 * Calendar days and months in UTC, by name and number: arithmetic, because in UTC all days are
 * equally long. Periods of other zones are those of domain/leaderboard/periods.ts.
 */
import { DAY } from "../time/time.js";

/**
 * A span of the calendar, `[startMs, endMs)`, under the word that names it: `2026-11-03` or
 * `2026-11`.
 */
export interface CalendarSpan {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Number of the day since epoch: days are equally long in UTC, so numbers can be counted with. */
export const dayNumber = (ms: number): number => Math.floor(ms / DAY);

/** The day with this number. */
export function dayAt(number: number): CalendarSpan {
  const startMs = number * DAY;
  return {
    name: new Date(startMs).toISOString().slice(0, "2026-11-03".length),
    startMs,
    endMs: startMs + DAY,
  };
}

/** The day that holds this moment. */
export const dayOf = (ms: number): CalendarSpan => dayAt(dayNumber(ms));

/** The month that holds this moment, or the one that many months before. */
export function monthOf(ms: number, before = 0): CalendarSpan {
  const date = new Date(ms);
  const startMs = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - before);
  const start = new Date(startMs);
  return {
    name: start.toISOString().slice(0, "2026-11".length),
    startMs,
    endMs: Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1),
  };
}

/** The day or month of this name. */
export const spanNamed = (name: string): CalendarSpan =>
  name.length > "2026-11".length ? dayOf(Date.parse(name)) : monthOf(Date.parse(name));

const MONDAY = 4;
const DAYS_A_WEEK = 7;

/** The number of the Monday that begins the week of a day. Day 0 was a Thursday. */
export const mondayOf = (day: number): number =>
  day - ((day - MONDAY + DAYS_A_WEEK * 2) % DAYS_A_WEEK);
