/**
 * Activity: which users did something on which day.
 *
 * One bitmap per day, one bit per user id: a million users
 * take 122 KiB a day. A report combines days by BITOP.
 * Postgres has the same as rows, written before the bit. A
 * day counts only on the server that it was loaded on; one
 * that lost it loads it again. Redis down: everything
 * rejects with RedisUnavailable within a deadline.
 */
import type { Result } from "ioredis";
import { ACTIVITY_KEPT_DAYS } from "../../domain/activity.js";
import type { CalendarSpan } from "../../domain/leaderboard/calendar.js";
import { DAY, MINUTE } from "../../domain/time/time.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    activityNote(day: string, user: number, leavesMs: number): Result<0 | 1, Context>;
    activityLoad(
      day: string,
      loaded: string,
      place: string,
      bits: Buffer,
      leavesMs: number,
    ): Result<1, Context>;
    activityKnown(day: string, loaded: string): Result<0 | 1, Context>;
  }
}

/** All methods reject with RedisUnavailable. */
export type ActivityStore = ReturnType<typeof createActivityStore>;

/** Unions of days, counted for one report. */
export interface ActivityUnions {
  /** How many users are in the union of these days. */
  union(name: string, days: readonly CalendarSpan[]): Promise<number>;
  /** How many users are in both unions, which were made before. */
  both(one: string, other: string): Promise<number>;
}

const UNION_KEPT_MS = MINUTE;
const leavesMs = ({ endMs }: CalendarSpan): number => endMs + ACTIVITY_KEPT_DAYS * DAY;

export function createActivityStore(caller: RedisCaller, keys: Keys) {
  const { connection, call } = caller;
  return {
    /** Notes that a user was active. One EVALSHA. */
    note: (day: CalendarSpan, userId: number): Promise<unknown> =>
      call("note", () =>
        connection.activityNote(keys.activityDay(day.name), userId, leavesMs(day)),
      ),
    /**
     * Which of these days this server was not given. One round
     * trip, an EVALSHA each.
     */
    missing: async (days: readonly CalendarSpan[]): Promise<CalendarSpan[]> => {
      const known = await call("known", () =>
        Promise.all(
          days.map(({ name }) =>
            connection.activityKnown(keys.activityDay(name), keys.activityLoaded(name)),
          ),
        ),
      );
      return days.filter((_, at) => known[at] === 0);
    },
    /**
     * Loads the users of a day. One EVALSHA.
     * @param report a name never used before
     */
    load: (day: CalendarSpan, users: readonly number[], report: string): Promise<unknown> =>
      call("load", () => {
        const place = keys.activityUnion(report, day.name);
        return connection.activityLoad(
          keys.activityDay(day.name),
          keys.activityLoaded(day.name),
          place,
          bitmapOf(users),
          leavesMs(day),
        );
      }),
    /**
     * Counts for one report. A MULTI of BITOP and BITCOUNT for
     * each.
     */
    unions: (report: string): ActivityUnions => unionsOf(caller, keys, report),
  };
}

function unionsOf({ connection, call }: RedisCaller, keys: Keys, report: string): ActivityUnions {
  const nameOf = (union: string): string => keys.activityUnion(report, union);
  const combine = (
    how: "OR" | "AND",
    target: string,
    sources: readonly string[],
  ): Promise<number> =>
    call("combine", async () => {
      // MULTI: no key without a lifetime. The empty source keeps a
      // union of days without users.
      const replies = await connection
        .multi()
        .bitop(how, target, ...sources)
        .pexpire(target, UNION_KEPT_MS)
        .bitcount(target)
        .exec();
      const [error, count] = replies?.at(-1) ?? [new Error("no reply"), 0];
      if (error) throw error;
      return Number(count);
    });
  return {
    union: (name, days) =>
      combine(
        "OR",
        nameOf(name),
        days.map((day) => keys.activityDay(day.name)),
      ),
    both: (one, other) => combine("AND", nameOf(`${one}&${other}`), [nameOf(one), nameOf(other)]),
  };
}

/**
 * As SETBIT would make it: the first bit is the highest of
 * the first byte.
 */
function bitmapOf(users: readonly number[]): Buffer {
  const bits = Buffer.alloc(
    Math.floor(users.reduce((most, user) => Math.max(most, user), 0) / 8) + 1,
  );
  for (const user of users) bits[user >> 3] = (bits[user >> 3] ?? 0) | (0x80 >> (user & 7));
  return bits;
}
