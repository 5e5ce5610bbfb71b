/** Brands: read by id, listed by name, found by prefix. */
import { type SQL, sql } from "drizzle-orm";
import type { BrandRecord } from "../../domain/catalogue/catalogue.js";
import { BadUserInput } from "../../domain/errors.js";
import type { IdPage, PageRequest, Position } from "../../domain/page.js";
import type { Database } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints, storable } from "../client/statements.js";
import type { brands } from "../schema/catalogue.js";

/**
 * A page of brands: all, or those whose name begins with
 * `text` in any case.
 */
export interface BrandListing {
  readonly text?: string;
  readonly page: PageRequest;
}

export interface BrandTable {
  /** The brands with these ids, in any order; missing ones absent. */
  byIds(ids: readonly number[]): Promise<BrandRecord[]>;
  /**
   * By name, then id; the position's value is the name. Reads
   * the page, or with `text` all brands that match.
   */
  page(listing: BrandListing): Promise<IdPage>;
  count(text?: string): Promise<number>;
}

type BrandRow = Row<typeof brands>;

export function createBrandTable(database: Database): BrandTable {
  return {
    async byIds(ids) {
      if (ids.length === 0) return [];
      return database.query<BrandRow>(
        sql`SELECT id, name FROM brands WHERE id = ANY(${bigints(ids)})`,
      );
    },
    async page({ text, page }) {
      const rows = await database.query<BrandRow>(sql`
        SELECT id, name FROM brands
        WHERE ${beginsWith(text)} AND ${behindName(page.after)}
        ORDER BY name, id LIMIT ${page.limit + 1}`);
      return {
        rows: rows.slice(0, page.limit).map(({ id, name }) => ({ value: name, id })),
        hasNextPage: rows.length > page.limit,
      };
    },
    async count(text) {
      const [row] = await database.query<{ count: number }>(
        sql`SELECT count(*) AS count FROM brands WHERE ${beginsWith(text)}`,
      );
      return row?.count ?? 0;
    },
  };
}

/**
 * An index range of `brands_prefix`: the pattern is a
 * parameter, its wildcards escaped.
 */
function beginsWith(text: string | undefined): SQL {
  if (text === undefined || text.trim() === "") return sql`true`;
  const escaped = storable(text).replace(/[\\%_]/g, "\\$&");
  return sql`lower(name) LIKE lower(${escaped}) || '%'`;
}

function behindName(after: Position | null): SQL {
  if (!after) return sql`true`;
  if (typeof after.value !== "string")
    throw new BadUserInput("after is not a cursor of this list.", ["after"]);
  return sql`(name, id) > (${storable(after.value)}, ${after.id}::bigint)`;
}
