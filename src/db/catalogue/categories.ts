/** Categories: a small tree, read by id and as a whole. */
import { sql } from "drizzle-orm";
import type { CategoryRecord } from "../../domain/catalogue/catalogue.js";
import type { Database } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints, groupRows } from "../client/statements.js";
import type { categories } from "../schema/catalogue.js";

export interface CategoryTable {
  /** The categories with these ids, in any order; missing ones absent. */
  byIds(ids: readonly number[]): Promise<CategoryRecord[]>;
  /**
   * All categories in tree order: parents before children,
   * siblings by name.
   */
  allIds(): Promise<number[]>;
  /**
   * The children of each parent, by name; an empty list where
   * there are none.
   */
  childIds(parentIds: readonly number[]): Promise<Map<number, number[]>>;
}

type CategoryRow = Row<typeof categories>;

export function createCategoryTable(database: Database): CategoryTable {
  return {
    async byIds(ids) {
      if (ids.length === 0) return [];
      const rows = await database.query<CategoryRow>(
        sql`SELECT id, parent_id, name, slug, path FROM categories WHERE id = ANY(${bigints(ids)})`,
      );
      return rows.map(({ id, parent_id, name, slug, path }) => ({
        id,
        name,
        slug,
        parentId: parent_id,
        path,
      }));
    },
    async allIds() {
      const rows = await database.query<Pick<CategoryRow, "id" | "parent_id">>(
        sql`SELECT id, parent_id FROM categories ORDER BY name, id`,
      );
      const children = groupRows(rows, ({ parent_id }) => parent_id);
      const below = (parent: number | null): number[] =>
        (children.get(parent) ?? []).flatMap(({ id }) => [id, ...below(id)]);
      return below(null);
    },
    async childIds(parentIds) {
      const children = new Map(parentIds.map((id): [number, number[]] => [id, []]));
      if (parentIds.length === 0) return children;
      const rows = await database.query<Pick<CategoryRow, "id" | "parent_id">>(sql`
        SELECT id, parent_id FROM categories
        WHERE parent_id = ANY(${bigints(parentIds)})
        ORDER BY name, id`);
      for (const { id, parent_id } of rows)
        if (parent_id !== null) children.get(parent_id)?.push(id);
      return children;
    },
  };
}
