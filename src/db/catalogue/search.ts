/** Upkeep of the text index of products. */
import { sql } from "drizzle-orm";
import type { Tx } from "../client/database.js";

/**
 * Merges the words of new rows into the text index. One
 * statement, at the end of a bulk write.
 *
 * New words wait in a list that every search reads in full.
 * Autovacuum merges it within minutes; the embedded database
 * has none and would keep up to 4 MB. A role that does not
 * own the index leaves the list.
 */
export async function mergeNewWords(tx: Tx): Promise<void> {
  await tx.query(sql`
    SELECT gin_clean_pending_list(oid) FROM pg_class
    WHERE oid = 'products_search'::regclass AND pg_has_role(relowner, 'USAGE')`);
}
