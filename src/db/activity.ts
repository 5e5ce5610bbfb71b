/** Activity: which user was active on which day. */
import { sql } from "drizzle-orm";
import { ACTIVITY_KEPT_DAYS } from "../domain/activity.js";
import type { Database } from "./client/database.js";
import type { Row } from "./client/row.js";
import { texts } from "./client/statements.js";
import type { userActivity } from "./schema/counters.js";

export interface ActivityTable {
  /** Records that a user was active on a day. Idempotent. */
  note(day: string, userId: number): Promise<void>;
  /** The users of each day, in the order asked. One statement. */
  users(days: readonly string[]): Promise<number[][]>;
  /**
   * Deletes days beyond the longest report. Resolves to the
   * number of rows.
   */
  prune(): Promise<number>;
}

export function createActivityTable(database: Database): ActivityTable {
  return {
    async note(day, userId) {
      await database.query(sql`
        INSERT INTO user_activity (day, user_id) VALUES (${day}::date, ${userId}::bigint)
        ON CONFLICT DO NOTHING`);
    },
    async users(days) {
      const users = days.map((): number[] => []);
      if (days.length === 0) return users;
      const rows = await database.query<
        Row<typeof userActivity, "user_id"> & { place: number }
      >(sql`
        SELECT q.place, a.user_id
        FROM unnest(${texts(days)}) WITH ORDINALITY AS q(day, place)
        JOIN user_activity a ON a.day = q.day::date`);
      for (const { place, user_id } of rows) users[place - 1]?.push(user_id);
      return users;
    },
    async prune() {
      const rows = await database.query(sql`
        DELETE FROM user_activity
        WHERE day < (now() AT TIME ZONE 'UTC')::date - ${ACTIVITY_KEPT_DAYS}::integer
        RETURNING user_id`);
      return rows.length;
    },
  };
}
