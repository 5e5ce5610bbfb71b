/** The table of the outbox, and the columns of work that is retried. */
import { sql } from "drizzle-orm";
import { index, integer, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { identity, moment } from "./schema.js";

/** How an item of work fares that is retried with backoff and then set aside. */
export const attempts = {
  attempts: integer().notNull().default(0),
  /** Null: now. */
  nextAttemptAt: timestamp("next_attempt_at", { withTimezone: true }),
  lastError: text("last_error"),
  setAsideAt: timestamp("set_aside_at", { withTimezone: true }),
};

/**
 * What committed writes still owe the outside: revocations, cache tags to invalidate, events to publish, logs to append to, scores
 * for the shop's boards. Rows leave when they are sent; one that fails again and again is set aside.
 */
export const outbox = pgTable(
  "outbox",
  {
    id: identity(),
    revocations: jsonb().notNull().default([]),
    scores: jsonb().notNull().default([]),
    tags: text().array().notNull(),
    events: jsonb().notNull(),
    notifications: jsonb().notNull().default([]),
    createdAt: moment("created_at"),
    ...attempts,
    /** What the row is ordered by, once the relay has read it and could not send it. */
    keys: text().array(),
    /** When the users of a revocation that cannot be read had all their sessions ended. */
    closedAt: timestamp("closed_at", { withTimezone: true }),
  },
  (t) => [index("outbox_waiting").on(t.id).where(sql.raw("set_aside_at is null"))],
);
