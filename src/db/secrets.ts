/**
 * Secrets that all processes of a shop share without
 * configuration. The first process makes them. Delete a row
 * to have a new one made at the next start.
 */
import { sql } from "drizzle-orm";
import type { Executor } from "./client/database.js";
import type { Row } from "./client/row.js";
import type { secrets } from "./schema/account.js";

/**
 * The secret of this name; `made` becomes it where there is
 * none. Two statements; safe for concurrent processes.
 */
export async function ensureSecret(
  executor: Executor,
  name: string,
  made: string,
): Promise<string> {
  await executor.query(
    sql`INSERT INTO secrets (name, value) VALUES (${name}, ${made}) ON CONFLICT (name) DO NOTHING`,
  );
  const [row] = await executor.query<Row<typeof secrets, "value">>(
    sql`SELECT value FROM secrets WHERE name = ${name}`,
  );
  if (!row) throw new Error(`The secret ${name} vanished while it was made.`);
  return row.value;
}
