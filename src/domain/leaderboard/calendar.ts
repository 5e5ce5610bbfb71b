/**
 * Calendar days and months in UTC, by name and number. Plain
 * arithmetic, because all days in UTC are equally long.
 * domain/leaderboard/periods.ts has other zones.
 */
import { DAY } from "../time/time.js";

/**
 * A span of the calendar, `[startMs, endMs)`, under its name:
 * `2026-11-03` or `2026-11`.
 */
export interface CalendarSpan {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Number of the day since epoch. */
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

/** The day of an instant. */
export const dayOf = (ms: number): CalendarSpan => dayAt(dayNumber(ms));

/** The month of an instant, or the one `before` months earlier. */
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

/**
 * The number of the Monday that begins the week of a day. Day
 * 0 was a Thursday.
 */
export const mondayOf = (day: number): number =>
  day - ((day - MONDAY + DAYS_A_WEEK * 2) % DAYS_A_WEEK);
