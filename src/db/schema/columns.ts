/**
 * Columns and constraints that tables share.
 * `npx drizzle-kit generate` turns a change of a table into
 * SQL in ../migrations.
 */
import { type SQL, sql } from "drizzle-orm";
import { type AnyPgColumn, bigint, integer, text, timestamp } from "drizzle-orm/pg-core";

/** A primary key that counts up. */
export const identity = () =>
  bigint({ mode: "number" }).primaryKey().generatedByDefaultAsIdentity();
/** A time; that of the insert by default. */
export const moment = <Name extends string>(name: Name) =>
  timestamp(name, { withTimezone: true, precision: 3 }).notNull().defaultNow();
/** A constraint of a text: one of these words. */
export const oneOf = (column: string, words: readonly string[]): SQL =>
  sql.raw(`${column} in (${words.map((word) => `'${word}'`).join(", ")})`);
/** A constraint of a text, in characters. */
export const lengthBetween = (column: AnyPgColumn, min: number, max: number): SQL =>
  sql`char_length(${column}) between ${sql.raw(String(min))} and ${sql.raw(String(max))}`;

/**
 * The words of a text, for full-text search. Punctuation
 * separates them, so that "wi-fi" and "AB-12" are found by
 * each of their parts. client/prefix-query.ts splits alike.
 */
export const searchWords = (column: string): string =>
  `to_tsvector('simple'::regconfig, regexp_replace(${column}, ` +
  `'[!-/:-@\\[-\`{-~]+', ' ', 'g'))`;

/** State of work that is retried with backoff and then set aside. */
export const attempts = {
  attempts: integer().notNull().default(0),
  /** Null: now. */
  nextAttemptAt: timestamp("next_attempt_at", { withTimezone: true }),
  lastError: text("last_error"),
  setAsideAt: timestamp("set_aside_at", { withTimezone: true }),
};
