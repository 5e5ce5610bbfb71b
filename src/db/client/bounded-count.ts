/** Counts that read a bounded number of rows. */
import { type SQL, sql } from "drizzle-orm";
import { MAX_COUNTED_ROWS } from "../../domain/page.js";
import type { Executor } from "./database.js";

/** How many rows a SELECT answers; null beyond {@link MAX_COUNTED_ROWS}. */
export async function boundedCount(executor: Executor, select: SQL): Promise<number | null> {
  const [row] = await executor.query<{ count: number }>(
    sql`SELECT count(*) AS count FROM (${select} LIMIT ${MAX_COUNTED_ROWS + 1}::bigint) AS counted`,
  );
  const count = row?.count ?? 0;
  return count > MAX_COUNTED_ROWS ? null : count;
}
