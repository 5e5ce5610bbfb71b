/**
 * Calendar periods in a time zone, as half-open intervals of
 * ms since epoch.
 *
 * A day begins at the first instant whose local date is that
 * day's. Usually that is midnight, and later where the clock
 * skips it. Where the clock is put back over midnight, the
 * first of the two counts. So periods never overlap and leave
 * nothing out. Weeks begin on Monday (ISO 8601). Zones are
 * those of the IANA database in Node.
 */

/** Every kind of period. */
export const PERIODS = ["ALL_TIME", "MONTH", "WEEK", "DAY"] as const;

/** A period of {@link PERIODS}. */
export type Period = (typeof PERIODS)[number];

/**
 * A period in ms since epoch: `startMs` belongs to it,
 * `endMs` to the next.
 */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * All time is one period without an end: the last instant of
 * a `Date` is beyond it.
 */
export const ALL_TIME: Window = { startMs: 0, endMs: 8_640_000_000_000_000 };

/** A calendar of one time zone. */
export interface Calendar {
  /** The period of an instant. */
  windowAt(period: Period, timeMs: number): Window;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** No local clock was ever further from UTC, with an hour to spare. */
const FAR_MS = 17 * 60 * MINUTE_MS;

/** A local date as its number of days since 1970-01-01. */
type LocalDay = number;

/**
 * The IANA zone of this name, in any case; null when Node has
 * none. An older name, such as `EST5EDT`, stays; in lower
 * case it becomes the zone behind it. Offsets such as
 * `+01:00`, which newer Node takes, are refused: they have no
 * summer time.
 */
export function timeZoneNamed(name: string): string | null {
  if (!/^[a-z]/i.test(name)) return null;
  try {
    const known = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
    return known.toLowerCase() === name.toLowerCase() || /^[a-z]/.test(name) ? known : name;
  } catch {
    return null;
  }
}

/**
 * The calendar of a zone, which caches the last window of
 * each period.
 * @throws RangeError for a zone that Node does not have
 */
export function createCalendar(timeZone: string): Calendar {
  const clock = createClock(timeZone);
  const last = new Map<Period, Window>();
  return {
    windowAt(period, timeMs) {
      if (period === "ALL_TIME") return ALL_TIME;
      const known = last.get(period);
      if (known && known.startMs <= timeMs && timeMs < known.endMs) return known;
      const window = find(clock, period, timeMs);
      last.set(period, window);
      return window;
    },
  };
}

/**
 * A clock may be put back over midnight. The second time
 * round has the older date and belongs to the newer day.
 */
function find(clock: ZoneClock, period: Period, timeMs: number): Window {
  let day = firstDay(period, clock.dayOf(timeMs));
  for (;;) {
    const next = nextFirst(period, day);
    const window = { startMs: clock.startOf(day), endMs: clock.startOf(next) };
    if (timeMs < window.endMs) return window;
    day = next;
  }
}

/** The first day of the period of a day. */
function firstDay(period: Period, day: LocalDay): LocalDay {
  // 1970-01-01 was a Thursday: three days after a Monday.
  if (period === "WEEK") return day - ((((day + 3) % 7) + 7) % 7);
  if (period === "DAY") return day;
  const date = new Date(day * DAY_MS);
  return toDay(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

function nextFirst(period: Period, first: LocalDay): LocalDay {
  if (period !== "MONTH") return first + (period === "WEEK" ? 7 : 1);
  const date = new Date(first * DAY_MS);
  return toDay(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/**
 * `Date.UTC` takes the years 0 to 99 for 1900 to 1999; no
 * board is that old.
 */
const toDay = (year: number, month: number, day: number): LocalDay =>
  Date.UTC(year, month, day) / DAY_MS;

interface ZoneClock {
  dayOf(timeMs: number): LocalDay;
  /**
   * The first instant of a local day. Where the calendar skips
   * the day, that of the next one.
   */
  startOf(day: LocalDay): number;
}

function createClock(timeZone: string): ZoneClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  /** The local clock read as if it were UTC, to the second. */
  const local = (timeMs: number): number => {
    const parts = new Map(
      format.formatToParts(timeMs).map(({ type, value }) => [type, Number(value)]),
    );
    const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  };
  const dayOf = (timeMs: number): LocalDay => Math.floor(local(timeMs) / DAY_MS);
  const startOf = (day: LocalDay): number => {
    const midnight = day * DAY_MS;
    const [before, after] = [midnight - FAR_MS, midnight + FAR_MS];
    const offsets = [local(before) - before, local(after) - after];
    const midnights = offsets
      .map((offset) => midnight - offset)
      .filter((instant) => local(instant) === midnight);
    return midnights.length > 0 ? Math.min(...midnights) : firstOf(day, before, after);
  };
  /**
   * The clock skips this midnight: the day begins where it
   * lands, found by halving.
   */
  const firstOf = (day: LocalDay, before: number, after: number): number => {
    let [low, high] = [before, after];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (dayOf(middle) >= day) high = middle;
      else low = middle;
    }
    return high;
  };
  return { dayOf, startOf };
}
