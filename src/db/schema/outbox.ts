/**
 * What writes leave behind: what they owe to Redis, and the
 * operation ids under which they were made.
 */
import { sql } from "drizzle-orm";
import { index, jsonb, pgTable, primaryKey, text, timestamp } from "drizzle-orm/pg-core";
import { attempts, identity, moment } from "./columns.js";

/**
 * What committed writes still owe the outside. The handler of its
 * kind sends a row, after earlier rows that share a key. Rows
 * leave when they are sent; one that fails again and again is set
 * aside.
 */
export const outbox = pgTable(
  "outbox",
  {
    id: identity(),
    kind: text().notNull(),
    keys: text().array().notNull().default([]),
    /** Lists by name, as the kind declares them. */
    payload: jsonb().notNull(),
    createdAt: moment("created_at"),
    ...attempts,
    /**
     * When a handler did what is done once for a row that it cannot
     * read.
     */
    closedAt: timestamp("closed_at", { withTimezone: true }),
  },
  (t) => [index("outbox_waiting").on(t.id).where(sql.raw("set_aside_at is null"))],
);

/**
 * Idempotency keys of writes that may not happen twice, with a
 * fingerprint of their input.
 */
export const operations = pgTable(
  "operations",
  {
    scope: text().notNull(),
    operationId: text("operation_id").notNull(),
    fingerprint: text().notNull(),
    /**
     * What the operation made, where a repetition has to find it
     * again.
     */
    result: jsonb(),
    createdAt: moment("created_at"),
  },
  (t) => [
    primaryKey({ columns: [t.scope, t.operationId] }),
    index("operations_created_at").on(t.createdAt),
  ],
);
