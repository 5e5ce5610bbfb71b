/**
 * The tables of the catalogue.
 *
 * The database itself guarantees:
 * - stock and prices are never below zero;
 * - one product per sku, one name per parent category, one
 * review per product and user;
 * - ratings follow from their sum and count, search vectors
 * from the text.
 *
 * Products are removed by `removed_at`, never deleted: ids
 * stay valid and a sku can be revived. Every listing index
 * leaves removed rows out.
 */
import { type SQL, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  check,
  customType,
  index,
  integer,
  pgTable,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { PRODUCT_LIMITS } from "../../domain/catalogue/catalogue.js";
import { MAX_PRICE, MAX_STOCK } from "../../domain/catalogue/money.js";
import { users } from "./account.js";
import { identity, lengthBetween, moment, searchWords } from "./columns.js";

const tsvector = customType<{ data: string }>({ dataType: () => "tsvector" });

/**
 * The category tree. `path` holds the ids from the root down
 * to the row itself. So "everything below X" is one index
 * look-up, and a change has all its ancestors. Names are
 * unique among siblings, roots included.
 */
export const categories = pgTable(
  "categories",
  {
    id: identity(),
    parentId: bigint("parent_id", { mode: "number" }).references((): AnyPgColumn => categories.id),
    name: text().notNull(),
    slug: text().notNull().unique(),
    path: bigint({ mode: "number" }).array().notNull(),
  },
  (t) => [
    unique("categories_parent_name").on(t.parentId, t.name).nullsNotDistinct(),
    index("categories_path").using("gin", t.path),
    check(
      "categories_path_ends_here",
      sql.raw("cardinality(path) > 0 and path[cardinality(path)] = id"),
    ),
    check("categories_name_length", lengthBetween(t.name, 1, PRODUCT_LIMITS.category)),
  ],
);

export const brands = pgTable(
  "brands",
  { id: identity(), name: text().notNull().unique("brands_name") },
  (t) => [
    index("brands_name_id").on(t.name, t.id),
    index("brands_prefix").on(sql`lower(${t.name}) text_pattern_ops`),
    check("brands_name_length", lengthBetween(t.name, 1, PRODUCT_LIMITS.brand)),
  ],
);

const searchable = (column: string, weight: "A" | "B"): string =>
  `setweight(${searchWords(column)}, '${weight}')`;

const SEARCH = [
  searchable("name", "A"),
  searchable("sku", "A"),
  searchable("description", "B"),
].join(" || ");

/**
 * Sort keys, read from the highest down, ties by the highest
 * id. One shape for all keeps keyset pages simple.
 */
const SORT_KEYS = {
  price_asc: "(-price)",
  price_desc: "price",
  rating: "rating_milli",
  popular: "popularity",
} as const;

/** Index columns that narrow a listing before it is walked in order. */
const INDEX_SCOPES = {
  all: [],
  category: ["category_id"],
  brand: ["brand_id"],
  brand_category: ["brand_id", "category_id"],
} as const;

/**
 * One partial index per scope and sort: every page is one
 * walk along one index. NEWEST sorts by the id alone.
 */
const listingIndexes = () =>
  Object.entries(INDEX_SCOPES).flatMap(([scope, columns]) =>
    Object.entries({ newest: null, ...SORT_KEYS }).map(([sort, key]) => {
      const [first, ...rest] = [...columns, ...(key ? [key] : []), "id"].map((column) =>
        sql.raw(column),
      ) as [SQL, ...SQL[]];
      return index(`products_${scope}_${sort}`)
        .on(first, ...rest)
        .where(sql.raw("removed_at is null"));
    }),
  );

/** `version` rises with every change, removal and revival included. */
export const products = pgTable(
  "products",
  {
    id: identity(),
    sku: text().notNull().unique("products_sku"),
    version: bigint({ mode: "number" }).notNull().default(1),
    name: text().notNull(),
    description: text().notNull(),
    brandId: bigint("brand_id", { mode: "number" })
      .notNull()
      .references(() => brands.id),
    categoryId: bigint("category_id", { mode: "number" })
      .notNull()
      .references(() => categories.id),
    /** Minor units of the shop's currency. */
    price: bigint({ mode: "number" }).notNull(),
    stock: integer().notNull(),
    ratingSum: bigint("rating_sum", { mode: "number" }).notNull().default(0),
    ratingCount: bigint("rating_count", { mode: "number" }).notNull().default(0),
    /**
     * The average rating in thousandths, rounded half up; 0
     * without reviews. Sort key of RATING.
     */
    ratingMilli: integer("rating_milli")
      .notNull()
      .generatedAlwaysAs(
        sql.raw(
          "case when rating_count = 0 then 0 else ((2000 * rating_sum + rating_count) / (2 * " +
            "rating_count))::integer end",
        ),
      ),
    /**
     * Sort key of POPULAR: see db/counters/popularity.ts. It
     * follows the counters, and no version rises with it.
     */
    popularity: bigint({ mode: "number" }).notNull().default(0),
    createdAt: moment("created_at"),
    updatedAt: moment("updated_at"),
    removedAt: timestamp("removed_at", { withTimezone: true, precision: 3 }),
    search: tsvector().generatedAlwaysAs(sql.raw(SEARCH)),
  },
  (t) => [
    ...listingIndexes(),
    index("products_search").using("gin", t.search).where(sql.raw("removed_at is null")),
    check("products_price_range", sql.raw(`price between 0 and ${MAX_PRICE}`)),
    check("products_stock_range", sql.raw(`stock between 0 and ${MAX_STOCK}`)),
    check(
      "products_rating_counts",
      sql.raw("rating_count >= 0 and rating_sum between rating_count and 5 * rating_count"),
    ),
    check("products_sku_length", lengthBetween(t.sku, 1, PRODUCT_LIMITS.sku)),
    check("products_name_length", lengthBetween(t.name, 1, PRODUCT_LIMITS.name)),
    check(
      "products_description_length",
      lengthBetween(t.description, 0, PRODUCT_LIMITS.description),
    ),
  ],
);

/** Reviews of products, walked newest first. */
export const reviews = pgTable(
  "reviews",
  {
    id: identity(),
    productId: bigint("product_id", { mode: "number" })
      .notNull()
      .references(() => products.id),
    /** Null for seeded reviews. */
    userId: bigint("user_id", { mode: "number" }).references(() => users.id),
    author: text().notNull(),
    rating: smallint().notNull(),
    body: text().notNull(),
    createdAt: moment("created_at"),
  },
  (t) => [
    uniqueIndex("reviews_product").on(t.productId, t.id),
    uniqueIndex("reviews_product_user").on(t.productId, t.userId),
    check("reviews_rating_range", sql.raw("rating between 1 and 5")),
  ],
);
