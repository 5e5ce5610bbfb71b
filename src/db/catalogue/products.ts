/**
 * Products: reads by id and by listing, the three writes of
 * the admin, and ratings.
 */
import { sql } from "drizzle-orm";
import type {
  ListingRequest,
  ProductDraft,
  ProductFilter,
  ProductRecord,
} from "../../domain/catalogue/catalogue.js";
import type { IdPage } from "../../domain/page.js";
import type { Database, Tx } from "../client/database.js";
import { bigints } from "../client/statements.js";
import { countsStatement, type PageRow, pagesStatement, toPages } from "./listings.js";
import { PRODUCT, type ProductRow, toProductRecord } from "./product-row.js";
import {
  addRating,
  adjustStock,
  type ProductWrite,
  type RatingChange,
  remove,
  type UpsertResult,
  upsert,
} from "./product-writes.js";

export interface ProductTable {
  /**
   * The products with these ids, in any order; removed ones
   * too, missing ones absent. One statement.
   */
  byIds(ids: readonly number[]): Promise<ProductRecord[]>;
  /**
   * A page of each listing, in the order asked, without
   * removed products. One statement.
   */
  pages(listings: readonly ListingRequest[]): Promise<IdPage[]>;
  /**
   * Number of products that each filter finds, in the order
   * asked. One statement.
   */
  counts(filters: readonly ProductFilter[]): Promise<number[]>;
  /**
   * Creates, changes or revives the product of this sku.
   * Without a difference, nothing is written and the version
   * stays.
   */
  upsert(tx: Tx, draft: ProductDraft): Promise<UpsertResult>;
  /** Adds `by` to the stock, unless that leaves 0..MAX_STOCK. */
  adjustStock(
    tx: Tx,
    id: number,
    by: number,
  ): Promise<ProductWrite | "missing" | "removed" | "negative" | "tooMuch">;
  /**
   * Takes the product out of every list; an upsert of its sku
   * revives it.
   */
  remove(tx: Tx, id: number): Promise<ProductWrite | "missing" | "removed">;
  /**
   * Locks the product and adds what `change` answers to its
   * ratings. Where that is nothing, the version stays.
   */
  rate<C extends RatingChange>(
    tx: Tx,
    id: number,
    change: () => Promise<C>,
  ): Promise<(ProductWrite & { readonly by: C }) | "missing" | "removed">;
}

export function createProductTable(database: Database): ProductTable {
  return {
    async byIds(ids) {
      if (ids.length === 0) return [];
      const rows = await database.query<ProductRow>(
        sql`SELECT ${PRODUCT} FROM products WHERE id = ANY(${bigints(ids)})`,
      );
      return rows.map(toProductRecord);
    },
    async pages(listings) {
      if (listings.length === 0) return [];
      return toPages(listings, await database.query<PageRow>(pagesStatement(listings)));
    },
    async counts(filters) {
      if (filters.length === 0) return [];
      const counts = filters.map(() => 0);
      for (const { listing, count } of await database.query<{ listing: number; count: number }>(
        countsStatement(filters),
      ))
        counts[listing] = count;
      return counts;
    },
    upsert,
    adjustStock,
    remove,
    rate: addRating,
  };
}
