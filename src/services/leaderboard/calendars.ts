/** Calendars by time zone, cached: making one costs some 50 µs. */
import type { BoardRecord } from "../../domain/leaderboard/leaderboard.js";
import {
  type Calendar,
  createCalendar,
  type Period,
  type Window,
} from "../../domain/leaderboard/periods.js";

type Timed = Pick<BoardRecord, "timeZone" | "periods">;

export interface Calendars {
  /** The period of a board that holds an instant. */
  windowAt(board: Pick<BoardRecord, "timeZone">, period: Period, timeMs: number): Window;
  /** The period of each kind that a board keeps, at an instant. */
  windowsAt(board: Timed, timeMs: number): Partial<Record<Period, Window>>;
}

export function createCalendars(): Calendars {
  const calendars = new Map<string, Calendar>();
  const of = (timeZone: string): Calendar => {
    const calendar = calendars.get(timeZone) ?? createCalendar(timeZone);
    calendars.set(timeZone, calendar);
    return calendar;
  };
  return {
    windowAt: ({ timeZone }, period, timeMs) => of(timeZone).windowAt(period, timeMs),
    windowsAt: ({ timeZone, periods }, timeMs) =>
      Object.fromEntries(periods.map((period) => [period, of(timeZone).windowAt(period, timeMs)])),
  };
}
