/** The clock of Postgres. */
import { sql } from "drizzle-orm";
import type { Executor } from "./database.js";

/** Now, in ms since epoch, as an expression. */
export const NOW_MS = sql.raw("floor(extract(epoch from clock_timestamp()) * 1000)::bigint");

export async function readDatabaseClock(executor: Executor): Promise<number> {
  const [row] = await executor.query<{ now: number }>(sql`SELECT ${NOW_MS} AS now`);
  if (!row) throw new Error("a SELECT without FROM has one row");
  return row.now;
}
