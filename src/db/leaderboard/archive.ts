/**
 * The archive of finished periods: every entry with its final
 * rank, written once from the ledger. SQL ranks here and
 * Redis ranks live boards, so each can check the other.
 */
import { type SQL, sql } from "drizzle-orm";
import type {
  BoardRecord,
  RankedRow,
  SortOrder,
  TieRule,
} from "../../domain/leaderboard/leaderboard.js";
import type { Period, Window } from "../../domain/leaderboard/periods.js";
import type { Database, Executor, Tx } from "../client/database.js";
import type { Row } from "../client/row.js";
import { columnList } from "../client/statements.js";
import type {
  leaderboardArchiveEntries,
  leaderboardArchives,
  scoreSubmissions,
} from "../schema/leaderboard.js";

export interface FinishedPeriod {
  readonly board: Pick<BoardRecord, "id" | "order" | "tieRule">;
  readonly period: Period;
  readonly window: Window;
}

export interface ArchivedRow extends RankedRow {
  /** 0 for the very first. */
  readonly place: number;
}

/**
 * Where reading starts: at a place from 0, a rank from 1, or
 * behind a sort key.
 */
export type ArchivedStart =
  | { readonly place: number }
  | { readonly rank: number }
  | { readonly key: number; readonly reached: number };

export interface ScoreArchive {
  /**
   * Time of the first score within `[fromMs, toMs)`; null for
   * none. In ms since epoch.
   */
  firstBetween(boardId: number, fromMs: number, toMs: number): Promise<number | null>;
  /**
   * Writes the entries of a finished period. Resolves to
   * their number.
   */
  write(tx: Tx, finished: FinishedPeriod): Promise<number>;
  /** Number of owners with scores in a period, counted in the ledger. */
  countOwners(executor: Executor, finished: FinishedPeriod): Promise<number>;
  /** Makes a written period readable. */
  seal(
    tx: Tx,
    finished: FinishedPeriod,
    sum: { readonly total: number; readonly checksum: string },
  ): Promise<void>;
  rows(
    executor: Executor,
    finished: FinishedPeriod,
    start: ArchivedStart,
    limit: number,
  ): Promise<ArchivedRow[]>;
  /** Number of entries; 0 for a period without any. */
  total(finished: FinishedPeriod): Promise<number>;
  /** Place of an owner from 0; null for none. */
  placeOf(finished: FinishedPeriod, owner: string): Promise<number | null>;
}

const ENTRY_COLUMNS = [
  "position",
  "rank",
  "better",
  "owner",
  "score",
  "reached",
  "metadata",
  "submitted_at",
] as const;
type EntryRow = Row<typeof leaderboardArchiveEntries, (typeof ENTRY_COLUMNS)[number]>;

/** The final rank, by tie rule; a lower `key` is better. */
const RANKS: Readonly<Record<TieRule, SQL>> = {
  FIRST_TO_REACH: sql.raw("row_number() OVER (ORDER BY key, reached)"),
  COMPETITION: sql.raw("rank() OVER (ORDER BY key)"),
  DENSE: sql.raw("dense_rank() OVER (ORDER BY key)"),
};

export function createScoreArchive(database: Database): ScoreArchive {
  return {
    async firstBetween(boardId, fromMs, toMs) {
      const [row] = await database.query<Row<typeof scoreSubmissions, "submitted_at">>(sql`
        SELECT submitted_at FROM score_submissions
        WHERE board_id = ${boardId}::bigint
          AND submitted_at >= ${toTimestamp(fromMs)} AND submitted_at < ${toTimestamp(toMs)}
        ORDER BY submitted_at LIMIT 1`);
      return row?.submitted_at.getTime() ?? null;
    },
    write: writeEntries,
    async countOwners(executor, { board, window }) {
      const [row] = await executor.query<{ count: number }>(sql`
        SELECT count(DISTINCT owner) AS count FROM score_submissions
        WHERE board_id = ${board.id}::bigint AND ${withinWindow(window)}`);
      return row?.count ?? 0;
    },
    async seal(tx, { board, period, window }, { total, checksum }) {
      await tx.query(sql`
        INSERT INTO leaderboard_archives (board_id, period, starts_at, ends_at, total, checksum)
        VALUES (${board.id}::bigint, ${period}, ${toTimestamp(window.startMs)},
          ${toTimestamp(window.endMs)}, ${total}, ${checksum})`);
    },
    rows,
    async total(finished) {
      const [row] = await database.query<Row<typeof leaderboardArchives, "total">>(
        sql`SELECT total FROM leaderboard_archives WHERE ${ofPeriod(finished)}`,
      );
      return row?.total ?? 0;
    },
    async placeOf(finished, owner) {
      const [row] = await database.query<Pick<EntryRow, "position">>(sql`
        SELECT position FROM leaderboard_archive_entries
        WHERE ${ofPeriod(finished)} AND owner = ${owner}`);
      return row ? row.position - 1 : null;
    },
  };
}

async function writeEntries(tx: Tx, { board, period, window }: FinishedPeriod): Promise<number> {
  const [row] = await tx.query<{ count: number }>(sql`
    WITH last AS (
      SELECT DISTINCT ON (owner) owner, standings->${period}::text AS standing
      FROM score_submissions
      WHERE board_id = ${board.id}::bigint AND ${withinWindow(window)}
      ORDER BY owner, sequence DESC
    ), entries AS (
      SELECT l.owner, (l.standing->>'score')::float8 AS score,
        (l.standing->>'reached')::bigint AS reached,
        ${sortKeySql(board.order, sql.raw("(l.standing->>'score')::float8"))} AS key,
        s.metadata, s.submitted_at
      FROM last l
      JOIN score_submissions s ON s.board_id = ${board.id}::bigint
        AND s.sequence = (l.standing->>'source')::bigint
    ), written AS (
      INSERT INTO leaderboard_archive_entries
        (board_id, period, starts_at, position, rank, better,
          owner, score, reached, metadata, submitted_at)
      SELECT ${board.id}::bigint, ${period}, ${toTimestamp(window.startMs)},
        row_number() OVER (ORDER BY key, reached), ${RANKS[board.tieRule]},
        rank() OVER (ORDER BY key) - 1, owner, score, reached, metadata, submitted_at
      FROM entries
      RETURNING 1
    ) SELECT count(*) AS count FROM written`);
  return row?.count ?? 0;
}

async function rows(
  executor: Executor,
  finished: FinishedPeriod,
  start: ArchivedStart,
  limit: number,
): Promise<ArchivedRow[]> {
  const found = await executor.query<EntryRow>(sql`
    SELECT ${columnList(ENTRY_COLUMNS)}
    FROM leaderboard_archive_entries
    WHERE ${ofPeriod(finished)} AND ${from(finished, start)}
    ORDER BY position LIMIT ${limit}`);
  return found.map(({ position, submitted_at, ...row }) => ({
    ...row,
    place: position - 1,
    submittedMs: submitted_at.getTime(),
  }));
}

/** A rank is never above the place, so earlier places are skipped. */
function from(finished: FinishedPeriod, start: ArchivedStart): SQL {
  if ("place" in start) return sql`position > ${start.place}::int`;
  if ("rank" in start) return sql`position >= ${start.rank}::int AND rank >= ${start.rank}::int`;
  const key = sortKeySql(finished.board.order, sql.raw("score"));
  return sql`(${key}, reached) > (${start.key}::float8, ${start.reached}::bigint)`;
}

const sortKeySql = (order: SortOrder, score: SQL): SQL =>
  order === "DESC" ? sql`(0 - ${score})` : score;
const toTimestamp = (ms: number): SQL => sql`to_timestamp(${ms}::float8 / 1000)`;
const withinWindow = ({ startMs, endMs }: Window): SQL =>
  sql`submitted_at >= ${toTimestamp(startMs)} AND submitted_at < ${toTimestamp(endMs)}`;
const ofPeriod = ({ board, period, window }: FinishedPeriod): SQL => sql`
  board_id = ${board.id}::bigint AND period = ${period}
  AND starts_at = ${toTimestamp(window.startMs)}`;
