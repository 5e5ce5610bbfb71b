/** Activity: what bitmaps count is what rows say, whatever Redis remembers. */
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createActivityTable } from "../../src/db/activity.js";
import { ANONYMOUS, SERVICE, UNKNOWN } from "../../src/domain/account/principal.js";
import type { Activity } from "../../src/domain/activity.js";
import { dayAt, dayNumber, mondayOf } from "../../src/domain/leaderboard/calendar.js";
import { DAY } from "../../src/domain/time/time.js";
import { createActivityStore } from "../../src/redis/activity/activity.js";
import { connectRedis, whenReady } from "../../src/redis/client/connect.js";
import { createActivity } from "../../src/services/activity.js";
import { testCaller } from "../support/caller.js";
import { drillSize } from "../support/drill.js";
import { testLog } from "../support/log.js";
import { type TestDatabase, testDatabase } from "../support/postgres.js";
import { startRedisCluster, testRedis } from "../support/redis.js";

const USERS = 40;
const TODAY = dayNumber(Date.UTC(2026, 10, 25));

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await db.database.query(sql`INSERT INTO users (id, tag, email, name, role, password_hash)
    SELECT n, 'tag-' || n, n || '@test.example', 'Tess', 'CUSTOMER', 'x'
    FROM generate_series(1, ${USERS}::integer) AS n`);
});
afterAll(() => db.close());

/** Activity over a Redis that knows nothing yet, on a day of the test's choosing. */
async function openActivity(
  { url, keys } = testRedis() as Pick<ReturnType<typeof testRedis>, "url" | "keys">,
) {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const clock = { nowMs: TODAY * DAY };
  const store = createActivityStore(testCaller(connection), keys);
  const service = createActivity({
    store,
    table: createActivityTable(db.database),
    nowMs: () => clock.nowMs,
    log: testLog(),
  });
  const note = async (day: number, users: readonly number[]): Promise<void> => {
    clock.nowMs = day * DAY + 1;
    for (const user of users) service.used(user);
    await service.close();
    clock.nowMs = TODAY * DAY + 1;
  };
  return { service, connection, keys, note };
}

/** The same report by SQL alone. */
async function oracle(days: number): Promise<Activity> {
  const date = (day: number): string => dayAt(day).name;
  const count = async (from: number, to: number): Promise<number> => {
    const [row] = await db.database.query<{ users: number }>(
      sql`SELECT count(DISTINCT user_id) AS users FROM user_activity
        WHERE day BETWEEN ${date(from)}::date AND ${date(to)}::date`,
    );
    return row?.users ?? 0;
  };
  const returned = async (monday: number, later: number): Promise<number> => {
    const [row] = await db.database.query<{
      users: number;
    }>(sql`SELECT count(DISTINCT a.user_id) AS users FROM user_activity a
      JOIN user_activity b ON b.user_id = a.user_id
        AND b.day BETWEEN ${date(later)}::date AND ${date(later + 6)}::date
      WHERE a.day BETWEEN ${date(monday)}::date AND ${date(monday + 6)}::date
        AND b.day <= ${date(TODAY)}::date AND a.day <= ${date(TODAY)}::date`);
    return row?.users ?? 0;
  };
  const all = Array.from({ length: days }, (_, at) => TODAY - days + 1 + at);
  const mondays = all.filter((day) => mondayOf(day) === day);
  return {
    days: await Promise.all(
      all.map(async (day) => ({
        day: date(day),
        daily: await count(day, day),
        weekly: await count(day - 6, day),
        monthly: await count(day - 29, day),
      })),
    ),
    retention: await Promise.all(
      mondays.map(async (monday, at) => ({
        week: date(monday),
        users: await count(monday, Math.min(monday + 6, TODAY)),
        returned: await Promise.all(mondays.slice(at + 1).map((later) => returned(monday, later))),
      })),
    ),
  };
}

const log = fc.array(
  fc.record({ user: fc.integer({ min: 1, max: USERS }), ago: fc.integer({ min: 0, max: 60 }) }),
  { maxLength: 150 },
);

describe("the report", () => {
  it("Activity equals what SQL counts on random logs, whatever days Redis has lost.", async () => {
    await fc.assert(
      fc.asyncProperty(
        log,
        fc.integer({ min: 1, max: 45 }),
        fc.integer({ min: 0, max: 60 }),
        async (entries, days, lost) => {
          await db.database.query(sql`DELETE FROM user_activity`);
          const { service, connection, keys, note } = await openActivity();
          for (const ago of new Set(entries.map((entry) => entry.ago)))
            await note(
              TODAY - ago,
              entries.filter((entry) => entry.ago === ago).map(({ user }) => user),
            );
          const expected = await oracle(days);
          expect(await service.report(SERVICE, days)).toEqual(expected);
          await connection.del(keys.activityDay(dayAt(TODAY - lost).name));
          expect(await service.report(SERVICE, days)).toEqual(expected);
          const other = await openActivity();
          expect(await other.service.report(SERVICE, days)).toEqual(expected);
          for (const open of [connection, other.connection]) open.disconnect();
        },
      ),
      { numRuns: drillSize({ sample: 8, full: 300 }), seed: 11 },
    );
  });

  it("Only admins read the report, of 1 to 90 days.", async () => {
    const { service } = await openActivity();
    await expect(service.report(ANONYMOUS, 7)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await expect(service.report(UNKNOWN, 7)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    for (const days of [0, -1, 91])
      await expect(service.report(SERVICE, days)).rejects.toMatchObject({ code: "BAD_USER_INPUT" });
    expect((await service.report(SERVICE, 90)).days).toHaveLength(90);
  });

  it("The report on a Cluster equals that on one server.", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    await db.database.query(sql`DELETE FROM user_activity`);
    const { service, note } = await openActivity({ url: cluster.url, keys: testRedis().keys });
    await note(TODAY, [1, 2, 3]);
    await note(TODAY - 7, [3, 4]);
    expect(await service.report(SERVICE, 14)).toEqual(await oracle(14));
  });
});

describe("a use", () => {
  it("A use is one row and one bit however often it comes, and is retried if not noted.", async () => {
    await db.database.query(sql`DELETE FROM user_activity`);
    const { service, note } = await openActivity();
    await note(TODAY, [5, 5, 5]);
    await note(TODAY, [5, USERS + 1]);
    await db.database.query(
      sql`INSERT INTO users (id, tag, email, name, role, password_hash)
        VALUES (${USERS + 1}, 'late', 'late@test.example', 'Tess', 'CUSTOMER', 'x')`,
    );
    await note(TODAY, [USERS + 1]);
    expect((await service.report(SERVICE, 1)).days).toEqual([
      { day: dayAt(TODAY).name, daily: 2, weekly: 2, monthly: 2 },
    ]);
  });
});
