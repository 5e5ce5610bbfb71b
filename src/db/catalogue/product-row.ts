/** Rows of products, as columns and as JSON inside another row. */
import { type SQL, sql } from "drizzle-orm";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";
import type { Row } from "../client/row.js";
import { columnList } from "../client/statements.js";
import type { products } from "../schema/catalogue.js";

const PRODUCT_COLUMNS = [
  "id",
  "version",
  "sku",
  "name",
  "description",
  "brand_id",
  "category_id",
  "price",
  "stock",
  "rating_sum",
  "rating_count",
  "updated_at",
] as const;

/** A product as {@link PRODUCT} selects it. */
export type ProductRow = Row<typeof products, (typeof PRODUCT_COLUMNS)[number]> & {
  readonly removed: boolean;
};

/** A product as {@link productJson} selects it: JSON has no dates. */
export type ProductJson = Omit<ProductRow, "updated_at"> & { readonly updated_at: string };

/** The columns of a {@link ProductRow}. */
export const PRODUCT: SQL = sql`${columnList(PRODUCT_COLUMNS)}, removed_at IS NOT NULL AS removed`;

/** The columns of a {@link ProductJson}, as one expression. */
export function productJson(alias: string): SQL {
  const members = PRODUCT_COLUMNS.map((name) => `'${name}', ${alias}.${name}`).join(", ");
  return sql.raw(`json_build_object(${members}, 'removed', ${alias}.removed_at IS NOT NULL)`);
}

export function toProductRecord(row: ProductRow | ProductJson): ProductRecord {
  return {
    id: row.id,
    version: row.version,
    sku: row.sku,
    name: row.name,
    description: row.description,
    brandId: row.brand_id,
    categoryId: row.category_id,
    price: row.price,
    stock: row.stock,
    ratingSum: row.rating_sum,
    ratingCount: row.rating_count,
    removed: row.removed,
    updatedAt: new Date(row.updated_at).toISOString(),
  };
}
