/**
 * The tables, as Drizzle sees them; `npx drizzle-kit generate` turns a change here into SQL in ./migrations, which is what runs.
 *
 * What the database itself guarantees: stock and prices never below zero, one product per sku, one name per parent category,
 * ratings derived from their sum and count, search vectors derived from the text. Products are removed by `removed_at`, never
 * deleted, so that ids stay valid and a sku can be revived; every listing index leaves removed rows out. One account per address, one
 * review per product and user. Leaderboards, notifications and the outbox have files of their own (schema-*.ts).
 */
import { type SQL, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  customType,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { AUDIT_EVENTS, COUNTED_EVENTS } from "../domain/audit.js";
import { PRODUCT_LIMITS } from "../domain/catalogue.js";
import { MAX_PRICE, MAX_STOCK } from "../domain/money.js";
import { ACCOUNT_LIMITS, ROLES } from "../domain/user.js";

const tsvector = customType<{ data: string }>({ dataType: () => "tsvector" });
/** A primary key that counts up. */
export const identity = () => bigint({ mode: "number" }).primaryKey().generatedByDefaultAsIdentity();
/** A time that is noted when the row is written, unless it is given. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 }).notNull().defaultNow();
/** A bound of a text: one of these words. */
export const oneOf = (column: string, words: readonly string[]): SQL =>
  sql.raw(`${column} in (${words.map((word) => `'${word}'`).join(", ")})`);
/** A bound of a text, in characters. */
export const lengthBetween = (column: AnyPgColumn, least: number, most: number): SQL =>
  sql`char_length(${column}) between ${sql.raw(String(least))} and ${sql.raw(String(most))}`;

/**
 * The category tree. `path` holds the ids from the root down to the row itself, so that "everything below X" is one index look-up
 * and a change knows every ancestor it touches. Names are unique among siblings, roots included.
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
    check("categories_path_ends_here", sql.raw("cardinality(path) > 0 and path[cardinality(path)] = id")),
    check("categories_name_length", lengthBetween(t.name, 1, PRODUCT_LIMITS.category)),
  ],
);

/** The brands, by name. */
export const brands = pgTable("brands", { id: identity(), name: text().notNull().unique("brands_name") }, (t) => [
  index("brands_name_id").on(t.name, t.id),
  index("brands_prefix").on(sql`lower(${t.name}) text_pattern_ops`),
  check("brands_name_length", lengthBetween(t.name, 1, PRODUCT_LIMITS.brand)),
]);

/** Text made searchable: punctuation separates words, so that "wi-fi" and "AB-12" are found by each of their parts. */
const searchable = (column: string, weight: "A" | "B"): string =>
  `setweight(to_tsvector('simple'::regconfig, regexp_replace(${column}, '[!-/:-@\\[-\`{-~]+', ' ', 'g')), '${weight}')`;

const SEARCH = `${searchable("name", "A")} || ${searchable("sku", "A")} || ${searchable("description", "B")}`;

/** Sort keys, every one read from the highest down with ties by the highest id: one shape for all of them keeps keyset pages simple. */
const SORT_KEYS = { price_asc: "(-price)", price_desc: "price", rating: "rating_milli", popular: "popularity" } as const;

/** Index columns that narrow a listing before it is walked in order. */
const SCOPES = { all: [], category: ["category_id"], brand: ["brand_id"], brand_category: ["brand_id", "category_id"] } as const;

/** One partial index per scope and sort: a page of any of them is one walk along one index. NEWEST sorts by the id alone. */
const listingIndexes = () =>
  Object.entries(SCOPES).flatMap(([scope, columns]) =>
    Object.entries({ newest: null, ...SORT_KEYS }).map(([sort, key]) => {
      const [first, ...rest] = [...columns, ...(key ? [key] : []), "id"].map((column) => sql.raw(column)) as [SQL, ...SQL[]];
      return index(`products_${scope}_${sort}`)
        .on(first, ...rest)
        .where(sql.raw("removed_at is null"));
    }),
  );

/** The products. `version` rises with every change, removal and revival included. */
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
    /** The average rating in thousandths, rounded half up; 0 without reviews. What RATING sorts by. */
    ratingMilli: integer("rating_milli")
      .notNull()
      .generatedAlwaysAs(
        sql.raw("case when rating_count = 0 then 0 else ((2000 * rating_sum + rating_count) / (2 * rating_count))::integer end"),
      ),
    /** What POPULAR sorts by: see db/popularity.ts. It follows the counters and is no change of the product. */
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
    check("products_rating_counts", sql.raw("rating_count >= 0 and rating_sum between rating_count and 5 * rating_count")),
    check("products_sku_length", lengthBetween(t.sku, 1, PRODUCT_LIMITS.sku)),
    check("products_name_length", lengthBetween(t.name, 1, PRODUCT_LIMITS.name)),
    check("products_description_length", lengthBetween(t.description, 0, PRODUCT_LIMITS.description)),
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
    /** Who wrote it; null for those that came with the shop. */
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

/**
 * Accounts. `session_epoch` rises when all sessions of a user are revoked; Redis holds sessions, but this number says which of them
 * count. `tag` begins the tokens and names the keys in Redis, so that neither tells who somebody is.
 */
export const users = pgTable(
  "users",
  {
    id: identity(),
    tag: text().notNull().unique("users_tag"),
    email: text().notNull().unique("users_email"),
    name: text().notNull(),
    role: text().notNull(),
    passwordHash: text("password_hash").notNull(),
    sessionEpoch: bigint("session_epoch", { mode: "number" }).notNull().default(1),
    createdAt: moment("created_at"),
  },
  (t) => [
    check("users_email_length", lengthBetween(t.email, 3, ACCOUNT_LIMITS.email)),
    check("users_name_length", lengthBetween(t.name, 1, ACCOUNT_LIMITS.name)),
    check("users_role", oneOf("role", ROLES)),
  ],
);

/** Sessions that were ended one by one, kept for as long as an old copy of them could still live. */
export const revokedSessions = pgTable(
  "revoked_sessions",
  {
    id: text().primaryKey(),
    userId: bigint("user_id", { mode: "number" })
      .notNull()
      .references(() => users.id),
    expiresAt: timestamp("expires_at", { withTimezone: true, precision: 3 }).notNull(),
  },
  (t) => [index("revoked_sessions_user").on(t.userId), index("revoked_sessions_expires_at").on(t.expiresAt)],
);

/** Times before which everybody's sessions were revoked: the latest counts. */
export const revokedEverybody = pgTable("revoked_everybody", { before: timestamp({ withTimezone: true, precision: 3 }).primaryKey() });

/** Secrets that all processes of a shop share, by what they are for. */
export const secrets = pgTable("secrets", { name: text().primaryKey(), value: text().notNull(), createdAt: moment("created_at") });

/** Rows of the audit log that anybody can cause. */
export const COUNTED = `event in (${COUNTED_EVENTS.map((event) => `'${event}'`).join(", ")})`;

/**
 * The audit log of accounts and sessions, by `at`; see domain/audit.ts. Users are not referenced: the log outlives what it tells of.
 * `count` is above one where several of a kind were counted, in the minute before `at`.
 */
export const auditLog = pgTable(
  "audit_log",
  {
    id: identity(),
    at: moment("at"),
    event: text().notNull(),
    userId: bigint("user_id", { mode: "number" }),
    byService: boolean("by_service").notNull().default(false),
    byUserId: bigint("by_user_id", { mode: "number" }),
    sessionId: text("session_id"),
    ip: text(),
    device: text(),
    requestId: text("request_id"),
    detail: text(),
    count: bigint({ mode: "number" }).notNull().default(1),
  },
  (t) => [
    index("audit_log_at").on(t.at),
    index("audit_log_user").on(t.userId, t.id),
    // What pruning counts: however many other rows there are, it reads these alone.
    index("audit_log_counted").on(t.id).where(sql.raw(COUNTED)),
    check("audit_log_event", sql.raw(`event in (${AUDIT_EVENTS.map((event) => `'${event}'`).join(", ")})`)),
    check("audit_log_count", sql.raw("count > 0")),
  ],
);

const ofProduct = () =>
  bigint("product_id", { mode: "number" })
    .notNull()
    .references(() => products.id);
const ofUser = () =>
  bigint("user_id", { mode: "number" })
    .notNull()
    .references(() => users.id);
const bytes = customType<{ data: Buffer }>({ dataType: () => "bytea" });
const MOST = Number.MAX_SAFE_INTEGER;

/**
 * What was counted about products, by period: `all`, a month (`2026-11`) or a day (`2026-11-03`), in UTC. Written behind Redis, which
 * counts; `viewers` is how many people viewed, `sketch` the HyperLogLog that says so, `few` the people themselves while they are few.
 */
export const productTallies = pgTable(
  "product_tallies",
  {
    productId: ofProduct(),
    period: text().notNull(),
    views: bigint({ mode: "number" }).notNull().default(0),
    shares: bigint({ mode: "number" }).notNull().default(0),
    viewers: bigint({ mode: "number" }).notNull().default(0),
    isOver: boolean("is_over").notNull().default(false),
    sketch: bytes(),
    few: jsonb().notNull().default([]),
  },
  (t) => [
    primaryKey({ columns: [t.productId, t.period] }),
    index("product_tallies_period").on(t.period),
    check("product_tallies_range", sql.raw(`views between 0 and ${MOST} and shares between 0 and ${MOST}`)),
  ],
);

/** The last batch of counts that was applied, by shard: what makes a batch count once. */
export const counterShards = pgTable("counter_shards", { shard: integer().primaryKey(), applied: text().notNull() });

/** Who likes what: facts. */
export const likes = pgTable("likes", { productId: ofProduct(), userId: ofUser(), createdAt: moment("created_at") }, (t) => [
  primaryKey({ columns: [t.productId, t.userId] }),
  index("likes_product_created_at").on(t.productId, t.createdAt),
]);

/** How many likes a product has: changed in the transaction of each. */
export const productLikes = pgTable(
  "product_likes",
  { productId: ofProduct().primaryKey(), likes: bigint({ mode: "number" }).notNull() },
  () => [check("product_likes_range", sql.raw("likes >= 0"))],
);

/** Who did something on which day (UTC): the truth behind the bitmaps of redis/activity/activity.ts. */
export const userActivity = pgTable("user_activity", { day: date().notNull(), userId: ofUser() }, (t) => [
  primaryKey({ columns: [t.day, t.userId] }),
]);

/** Products whose popularity is to be computed again. */
export const popularityDue = pgTable("popularity_due", { productId: ofProduct().primaryKey() });

/** Idempotency keys of writes that may not happen twice, with a fingerprint of their input. */
export const operations = pgTable(
  "operations",
  {
    scope: text().notNull(),
    operationId: text("operation_id").notNull(),
    fingerprint: text().notNull(),
    /** What the operation made, where a repetition has to find it again. */
    result: jsonb(),
    createdAt: moment("created_at"),
  },
  (t) => [primaryKey({ columns: [t.scope, t.operationId] }), index("operations_created_at").on(t.createdAt)],
);
