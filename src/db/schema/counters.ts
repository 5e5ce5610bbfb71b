/** Tables of the counters of products, and of activity. */
import { sql } from "drizzle-orm";
import {
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
  text,
} from "drizzle-orm/pg-core";
import { type KnownViewer, MAX_COUNT } from "../../domain/counters.js";
import { users } from "./account.js";
import { products } from "./catalogue.js";
import { moment } from "./columns.js";

const ofProduct = () =>
  bigint("product_id", { mode: "number" })
    .notNull()
    .references(() => products.id);
const ofUser = () =>
  bigint("user_id", { mode: "number" })
    .notNull()
    .references(() => users.id);
const bytes = customType<{ data: Buffer }>({ dataType: () => "bytea" });

/**
 * Counters of products by period: `all`, a month (`2026-11`)
 * or a day (`2026-11-03`), in UTC. Redis counts, and flushes
 * to this table. `viewers` is a number of people, and
 * `sketch` their HyperLogLog. `few` lists the people while
 * they are few.
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
    few: jsonb().$type<readonly KnownViewer[]>().notNull().default([]),
  },
  (t) => [
    primaryKey({ columns: [t.productId, t.period] }),
    index("product_tallies_period").on(t.period),
    check(
      "product_tallies_range",
      sql.raw(`views between 0 and ${MAX_COUNT} and shares between 0 and ${MAX_COUNT}`),
    ),
  ],
);

/**
 * The last batch of each shard that was applied: makes a
 * batch count once.
 */
export const counterShards = pgTable("counter_shards", {
  shard: integer().primaryKey(),
  applied: text().notNull(),
});

export const likes = pgTable(
  "likes",
  { productId: ofProduct(), userId: ofUser(), createdAt: moment("created_at") },
  (t) => [
    primaryKey({ columns: [t.productId, t.userId] }),
    index("likes_product_created_at").on(t.productId, t.createdAt),
  ],
);

/** Number of likes of a product, changed in the transaction of each. */
export const productLikes = pgTable(
  "product_likes",
  { productId: ofProduct().primaryKey(), likes: bigint({ mode: "number" }).notNull() },
  () => [check("product_likes_range", sql.raw("likes >= 0"))],
);

/**
 * Which user was active on which day (UTC).
 * redis/activity/activity.ts has bitmaps of it.
 */
export const userActivity = pgTable(
  "user_activity",
  { day: date().notNull(), userId: ofUser() },
  (t) => [primaryKey({ columns: [t.day, t.userId] })],
);

/** Products whose popularity is to be computed again. */
export const popularityDue = pgTable("popularity_due", { productId: ofProduct().primaryKey() });
