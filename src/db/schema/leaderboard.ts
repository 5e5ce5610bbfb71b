/** The tables of leaderboards. */
import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import {
  BOARD_LIMITS,
  type BoardRecord,
  MAX_SCORE,
  SCORE_OPERATORS,
  SCORE_SOURCES,
  SORT_ORDERS,
  type Standings,
  TIE_RULES,
} from "../../domain/leaderboard/leaderboard.js";
import { PERIODS } from "../../domain/leaderboard/periods.js";
import { identity, lengthBetween, moment, oneOf } from "./columns.js";

/**
 * `last_sequence` and `last_at` are those of the newest row
 * of the board's ledger. Rows are appended under this row's
 * lock: sequences have no gaps, in the order of commits and
 * times. `archived` holds the end (ms since epoch) of each
 * kind's last archived period.
 */
export const leaderboards = pgTable(
  "leaderboards",
  {
    id: identity(),
    slug: text().notNull().unique("leaderboards_slug"),
    title: text().notNull(),
    operator: text({ enum: SCORE_OPERATORS }).notNull(),
    sortOrder: text("sort_order", { enum: SORT_ORDERS }).notNull(),
    tieRule: text("tie_rule", { enum: TIE_RULES }).notNull(),
    periods: text({ enum: PERIODS }).array().notNull(),
    timeZone: text("time_zone").notNull(),
    source: text({ enum: SCORE_SOURCES }).notNull(),
    lastSequence: bigint("last_sequence", { mode: "number" }).notNull().default(0),
    lastAt: timestamp("last_at", { withTimezone: true, precision: 3 })
      .notNull()
      .default(sql`'epoch'`),
    archived: jsonb().$type<BoardRecord["archivedMs"]>().notNull().default({}),
    createdAt: moment("created_at"),
  },
  (t) => [
    check("leaderboards_operator", oneOf("operator", SCORE_OPERATORS)),
    check("leaderboards_sort_order", oneOf("sort_order", SORT_ORDERS)),
    check("leaderboards_tie_rule", oneOf("tie_rule", TIE_RULES)),
    check("leaderboards_source", oneOf("source", SCORE_SOURCES)),
    check("leaderboards_slug_length", lengthBetween(t.slug, 1, BOARD_LIMITS.slug)),
    check("leaderboards_title_length", lengthBetween(t.title, 1, BOARD_LIMITS.title)),
  ],
);

/**
 * The ledger of submissions, which only grows. `standings`
 * holds the standing of the owner in every period after the
 * row. So a board needs only the last row of each owner.
 */
export const scoreSubmissions = pgTable(
  "score_submissions",
  {
    boardId: bigint("board_id", { mode: "number" })
      .notNull()
      .references(() => leaderboards.id),
    sequence: bigint({ mode: "number" }).notNull(),
    owner: text().notNull(),
    operationId: text("operation_id"),
    score: doublePrecision().notNull(),
    metadata: text(),
    submittedAt: timestamp("submitted_at", { withTimezone: true, precision: 3 }).notNull(),
    standings: jsonb().$type<Standings>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.boardId, t.sequence] }),
    uniqueIndex("score_submissions_operation")
      .on(t.boardId, t.owner, t.operationId)
      .where(sql.raw("operation_id is not null")),
    uniqueIndex("score_submissions_owner").on(t.boardId, t.owner, t.sequence),
    index("score_submissions_time").on(t.boardId, t.submittedAt),
    check("score_submissions_score_range", sql.raw(`score between ${-MAX_SCORE} and ${MAX_SCORE}`)),
    check("score_submissions_owner_length", lengthBetween(t.owner, 1, BOARD_LIMITS.owner)),
    check(
      "score_submissions_metadata_size",
      sql.raw(`octet_length(metadata) <= ${BOARD_LIMITS.metadata}`),
    ),
  ],
);

/**
 * Finished periods of boards, written once. `checksum` is
 * over all entries in order. A period without entries has no
 * row.
 */
export const leaderboardArchives = pgTable(
  "leaderboard_archives",
  {
    boardId: bigint("board_id", { mode: "number" })
      .notNull()
      .references(() => leaderboards.id),
    period: text().notNull(),
    startsAt: timestamp("starts_at", { withTimezone: true, precision: 3 }).notNull(),
    endsAt: timestamp("ends_at", { withTimezone: true, precision: 3 }).notNull(),
    total: integer().notNull(),
    checksum: text().notNull(),
    createdAt: moment("created_at"),
  },
  (t) => [primaryKey({ columns: [t.boardId, t.period, t.startsAt] })],
);

/**
 * Entries of finished periods with their final ranks.
 * `better` counts the entries with a better score.
 */
export const leaderboardArchiveEntries = pgTable(
  "leaderboard_archive_entries",
  {
    boardId: bigint("board_id", { mode: "number" })
      .notNull()
      .references(() => leaderboards.id),
    period: text().notNull(),
    startsAt: timestamp("starts_at", { withTimezone: true, precision: 3 }).notNull(),
    position: integer().notNull(),
    rank: integer().notNull(),
    better: integer().notNull(),
    owner: text().notNull(),
    score: doublePrecision().notNull(),
    reached: bigint({ mode: "number" }).notNull(),
    metadata: text(),
    submittedAt: timestamp("submitted_at", { withTimezone: true, precision: 3 }).notNull(),
  },
  (t) => [
    primaryKey({
      name: "leaderboard_archive_entries_key",
      columns: [t.boardId, t.period, t.startsAt, t.position],
    }),
    uniqueIndex("leaderboard_archive_entries_owner").on(t.boardId, t.period, t.startsAt, t.owner),
  ],
);
