/**
 * Text that is still not in NFC after the migration to it.
 * Some rows would have become equal to others, or too long.
 * Some are owners of scores, whose archived checksums never
 * change. Look-ups are in NFC, so such a row is not found by
 * its text. An operator decides what becomes of it.
 */
import { sql } from "drizzle-orm";
import type { Executor } from "./database.js";

/**
 * Table and column. The text itself stays out of the log: an
 * address is personal.
 */
export interface DecomposedText {
  readonly place: string;
  readonly id: number;
}

/** More are the same fault many times. */
const MAX_REPORTED = 100;

/** The first of them, by place and id. */
export async function findDecomposed(executor: Executor): Promise<DecomposedText[]> {
  const [encoding] = await executor.query<{ isUtf8: boolean }>(
    sql`SELECT getdatabaseencoding() = 'UTF8' AS "isUtf8"`,
  );
  if (!encoding?.isUtf8) return [];
  return executor.query<DecomposedText>(sql`
    SELECT 'users.email' AS place, id FROM users WHERE email IS NOT NFC NORMALIZED
    UNION ALL SELECT 'users.name', id FROM users WHERE name IS NOT NFC NORMALIZED
    UNION ALL SELECT 'products.sku', id FROM products WHERE sku IS NOT NFC NORMALIZED
    UNION ALL SELECT 'products.name', id FROM products WHERE name IS NOT NFC NORMALIZED
    UNION ALL SELECT 'products.description', id FROM products
      WHERE description IS NOT NFC NORMALIZED
    UNION ALL SELECT 'brands.name', id FROM brands WHERE name IS NOT NFC NORMALIZED
    UNION ALL SELECT 'categories.name', id FROM categories WHERE name IS NOT NFC NORMALIZED
    UNION ALL SELECT 'leaderboards.title', id FROM leaderboards WHERE title IS NOT NFC NORMALIZED
    UNION ALL SELECT 'score_submissions.owner of leaderboards', board_id FROM score_submissions
      WHERE owner IS NOT NFC NORMALIZED GROUP BY board_id
    ORDER BY place, id LIMIT ${MAX_REPORTED}`);
}
