/** The table of workers: one row for each process that beats. */
import { bigint, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const workers = pgTable("workers", {
  id: text().primaryKey(),
  host: text().notNull(),
  pid: bigint({ mode: "number" }).notNull(),
  startedAt: timestamp("started_at", { withTimezone: true, precision: 3 }).notNull(),
  beatAt: timestamp("beat_at", { withTimezone: true, precision: 3 }).notNull(),
  /** Until the next beat. */
  beatMs: bigint("beat_ms", { mode: "number" }).notNull(),
  /** State of its jobs (domain/telemetry/job.ts). */
  jobs: jsonb().notNull(),
});
