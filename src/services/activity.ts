/**
 * Activity: days (UTC) on which a user opened or used
 * a session. A row in Postgres first, then a bit in
 * Redis. Both are idempotent; a process writes them
 * once per user and day.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { ActivityTable } from "../db/activity.js";
import { type Principal, requireAdmin } from "../domain/account/principal.js";
import {
  ACTIVE_SPANS,
  type ActiveDay,
  type Activity,
  MAX_ACTIVITY_DAYS,
  type RetainedWeek,
} from "../domain/activity.js";
import { BadUserInput } from "../domain/errors.js";
import { type CalendarSpan, dayAt, dayNumber, mondayOf } from "../domain/leaderboard/calendar.js";
import type { ActivityStore, ActivityUnions } from "../redis/activity/activity.js";
import { askLoaded, NOT_LOADED, type NotLoaded } from "../redis/client/memory-fence.js";

export interface ActivityService {
  /** Records a use. Returns at once; the next use retries a failure. */
  used(userId: number): void;
  /**
   * The last days, with today. Throws Unauthenticated,
   * Forbidden, BadUserInput; ServiceUnavailable without Redis.
   */
  report(principal: Principal, days: number): Promise<Activity>;
  /** Waits for records under way. */
  close(): Promise<void>;
}

export interface ActivityDeps {
  readonly store: ActivityStore;
  readonly table: Pick<ActivityTable, "note" | "users">;
  readonly nowMs: () => number;
  readonly log: Logger;
}

export function createActivity({ store, table, nowMs, log }: ActivityDeps): ActivityService {
  const noted = { day: Number.NaN, users: new Set<number>() };
  const noting = new Set<Promise<void>>();
  const note = async (day: CalendarSpan, userId: number): Promise<void> => {
    try {
      await table.note(day.name, userId);
      await store.note(day, userId);
    } catch (error) {
      noted.users.delete(userId);
      log.debug({ err: (error as Error).message }, "activity is noted at the next use");
    }
  };
  /** Loads the days that Redis lacks. */
  const makeLoaded = (days: readonly CalendarSpan[], report: string): Promise<true> => {
    let missing = days;
    const load = async (): Promise<void> => {
      const users = await table.users(missing.map(({ name }) => name));
      await Promise.all(missing.map((day, at) => store.load(day, users[at] ?? [], report)));
    };
    const ask = async (): Promise<true | NotLoaded> => {
      missing = await store.missing(missing);
      return missing.length === 0 || NOT_LOADED;
    };
    return askLoaded(ask, load);
  };
  return {
    used(userId) {
      const number = dayNumber(nowMs());
      if (noted.day !== number) {
        noted.day = number;
        noted.users.clear();
      }
      if (noted.users.has(userId)) return;
      noted.users.add(userId);
      const work = note(dayAt(number), userId).finally(() => noting.delete(work));
      noting.add(work);
    },
    async report(principal, days) {
      requireAdmin(principal);
      if (days < 1 || days > MAX_ACTIVITY_DAYS)
        throw new BadUserInput(`days must be from 1 to ${MAX_ACTIVITY_DAYS}, not ${days}.`, [
          "days",
        ]);
      const report = randomUUID();
      const today = dayNumber(nowMs());
      const first = today - days + 1;
      await makeLoaded(spans(first - ACTIVE_SPANS.month + 1, today), report);
      const unions = store.unions(report);
      return {
        days: await Promise.all(numbers(first, today).map((day) => activeDay(unions, day))),
        retention: await retention(unions, first, today),
      };
    },
    async close() {
      await Promise.all(noting);
    },
  };
}

const numbers = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);
const spans = (first: number, last: number): CalendarSpan[] => numbers(first, last).map(dayAt);

async function activeDay(unions: ActivityUnions, day: number): Promise<ActiveDay> {
  const upTo = (length: number) => unions.union(`${length}-${day}`, spans(day - length + 1, day));
  const [daily, weekly, monthly] = await Promise.all([
    upTo(1),
    upTo(ACTIVE_SPANS.week),
    upTo(ACTIVE_SPANS.month),
  ]);
  return { day: dayAt(day).name, daily, weekly, monthly };
}

/** Weeks that begin within the report; the last may go on. */
async function retention(
  unions: ActivityUnions,
  first: number,
  today: number,
): Promise<RetainedWeek[]> {
  const mondays = numbers(first, today).filter((day) => mondayOf(day) === day);
  const nameOf = (monday: number): string => `week-${monday}`;
  const users = await Promise.all(
    mondays.map((monday) =>
      unions.union(nameOf(monday), spans(monday, Math.min(monday + ACTIVE_SPANS.week - 1, today))),
    ),
  );
  return Promise.all(
    mondays.map(async (monday, at) => {
      const later = mondays.slice(at + 1);
      const returned = await Promise.all(
        later.map((other) => unions.both(nameOf(monday), nameOf(other))),
      );
      return { week: dayAt(monday).name, users: users[at] ?? 0, returned };
    }),
  );
}
