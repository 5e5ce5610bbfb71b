/** Days, weeks and months in any zone, against an oracle that looks at every minute. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createCalendar,
  type Period,
  timeZoneNamed,
} from "../../../src/domain/leaderboard/periods.js";
import { MINUTE } from "../../../src/domain/time/time.js";
import { drillSize } from "../../support/drill.js";

/**
 * Zones whose clocks do what careless code does not expect: midnight skipped or repeated, a day
 * left out, half hours, no rule at all.
 */
const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "America/Sao_Paulo",
  "America/Havana",
  "America/Asuncion",
  "Asia/Beirut",
  "Asia/Kathmandu",
  "Asia/Gaza",
  "Africa/Cairo",
  "Africa/Casablanca",
  "Pacific/Apia",
  "Pacific/Chatham",
  "Australia/Lord_Howe",
  "Antarctica/Troll",
];

/** The whole drill takes minutes. */
const DRILL_MS = 20 * MINUTE;

/** A local date as text, by another way than the code under test takes. */
function dateIn(timeZone: string): (timeMs: number) => string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" });
  return (timeMs) => format.format(timeMs);
}

/** The first day of the period that a day is in. */
function firstDayOf(period: Period, day: string): string {
  if (period === "DAY") return day;
  if (period === "MONTH") return `${day.slice(0, 7)}-01`;
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}

/**
 * The latest date that was seen up to each minute of a stretch: a clock that is put back brings no
 * old day back.
 */
function* days(
  zone: string,
  fromMs: number,
  toMs: number,
): Generator<readonly [timeMs: number, day: string]> {
  const dateOf = dateIn(zone);
  let latest = "";
  for (let timeMs = fromMs; timeMs < toMs; timeMs += MINUTE) {
    const day = dateOf(timeMs);
    if (day > latest) latest = day;
    yield [timeMs, latest];
  }
}

const between = (from: string, to: string) =>
  fc
    .integer({ min: Date.parse(from) / MINUTE, max: Date.parse(to) / MINUTE })
    .map((minute) => minute * MINUTE);

describe("a window", () => {
  it(
    "A window begins where a search of every minute finds it, in any zone.",
    () => {
      const property = fc.property(
        fc.constantFrom(...ZONES),
        between("1985-01-01", "2037-01-01"),
        (zone, aroundMs) => {
          const calendar = createCalendar(zone);
          const from = aroundMs - 26 * 60 * MINUTE;
          let day = "";
          for (const [timeMs, today] of days(zone, from, aroundMs + 26 * 60 * MINUTE)) {
            // The first day of the stretch may have begun before it.
            if (day !== "" && today !== day) {
              const window = calendar.windowAt("DAY", timeMs);
              expect([zone, window.startMs]).toEqual([zone, timeMs]);
              expect(calendar.windowAt("DAY", timeMs - 1).endMs).toBe(timeMs);
              const starts = {
                WEEK: firstDayOf("WEEK", today) === today,
                MONTH: today.endsWith("-01"),
              };
              for (const period of ["WEEK", "MONTH"] as const) {
                const start = calendar.windowAt(period, timeMs).startMs;
                expect([zone, period, start === timeMs]).toEqual([zone, period, starts[period]]);
              }
            }
            day = today;
          }
        },
      );
      fc.assert(property, { numRuns: drillSize({ sample: 60, full: 3_000 }), seed: 11 });
    },
    DRILL_MS,
  );

  it(
    "A window holds its instant, touches the next, and is equal for all inside.",
    () => {
      const periods = fc.constantFrom<Period>("DAY", "WEEK", "MONTH");
      const property = fc.property(
        fc.constantFrom(...ZONES),
        periods,
        between("1975-01-01", "2100-01-01"),
        fc.nat(),
        (zone, period, timeMs, extra) => {
          const [calendar, fresh] = [createCalendar(zone), () => createCalendar(zone)];
          const window = calendar.windowAt(period, timeMs);
          expect(window.startMs).toBeLessThanOrEqual(timeMs);
          expect(window.endMs).toBeGreaterThan(timeMs);
          const inside = window.startMs + (extra % (window.endMs - window.startMs));
          expect(fresh().windowAt(period, inside)).toEqual(window);
          expect(fresh().windowAt(period, window.endMs).startMs).toBe(window.endMs);
          expect(fresh().windowAt(period, window.startMs - 1).endMs).toBe(window.startMs);
        },
      );
      fc.assert(property, { numRuns: drillSize({ sample: 2_000, full: 50_000 }), seed: 12 });
    },
    DRILL_MS,
  );

  it.each([
    [
      "Pacific/Apia",
      "2011-12-29T22:00:00-10:00",
      "2011-12-29T00:00:00-10:00",
      "2011-12-31T00:00:00+14:00",
    ],
    [
      "America/Sao_Paulo",
      "2018-11-04T12:00:00-02:00",
      "2018-11-04T01:00:00-02:00",
      "2018-11-05T00:00:00-02:00",
    ],
    [
      "America/Havana",
      "2023-11-05T12:00:00-05:00",
      "2023-11-05T00:00:00-04:00",
      "2023-11-06T00:00:00-05:00",
    ],
  ])("A day in %s that holds %s lasts from %s to %s.", (zone, at, start, end) => {
    const window = createCalendar(zone).windowAt("DAY", Date.parse(at));
    expect([new Date(window.startMs), new Date(window.endMs)]).toEqual([
      new Date(start),
      new Date(end),
    ]);
  });

  it("A week begins on Monday.", () => {
    const { startMs, endMs } = createCalendar("UTC").windowAt(
      "WEEK",
      Date.parse("2027-01-03T23:59:59.999Z"),
    );
    expect([new Date(startMs).toISOString(), new Date(endMs).toISOString()]).toEqual([
      "2026-12-28T00:00:00.000Z",
      "2027-01-04T00:00:00.000Z",
    ]);
  });
});

it("A zone has a name when the IANA database that comes with Node has it.", () => {
  const older = [
    "EST5EDT",
    "CST6CDT",
    "MST7MDT",
    "PST8PDT",
    "EST",
    "GMT0",
    "GB-Eire",
    "NZ-CHAT",
    "W-SU",
    "US/Pacific",
  ];
  const zones = [
    ...ZONES,
    ...Intl.supportedValuesOf("timeZone"),
    "Etc/GMT+5",
    "America/Argentina/Buenos_Aires",
    ...older,
  ];
  expect(zones.filter((zone) => timeZoneNamed(zone) !== zone)).toEqual([]);
  const none = [
    "",
    " ",
    "Mars/Olympus",
    "+01:00",
    "-0230",
    "Europe/Berlin ",
    "UTC+1",
    "../etc/passwd",
    "Europe/Ber\u200blin",
  ];
  expect(none.filter((zone) => timeZoneNamed(zone) !== null)).toEqual([]);
});

it("A zone's name is spelled as in the database, whatever case it was typed in.", () => {
  const zones = Intl.supportedValuesOf("timeZone");
  expect(zones.filter((zone) => timeZoneNamed(zone.toLowerCase()) !== zone)).toEqual([]);
  expect(zones.filter((zone) => timeZoneNamed(zone.toUpperCase()) !== zone)).toEqual([]);
  expect(timeZoneNamed("est5edt")).toBe("America/New_York");
});
