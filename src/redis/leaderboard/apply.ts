/**
 * Puts rows of the ledger on a board, in all its periods at
 * once. Answers ranks.
 */
import type { Result } from "ioredis";
import type { BoardRow } from "../../domain/leaderboard/leaderboard.js";
import { PERIODS, type Period } from "../../domain/leaderboard/periods.js";
import { MINUTE } from "../../domain/time/time.js";
import { NOT_LOADED, type NotLoaded } from "../client/memory-fence.js";
import { type BoardLink, type BoardShape, type BuildOf, periodKey, type Windows } from "./link.js";
import { spellRow } from "./rows.js";

type ApplyArgument = string | number;

declare module "ioredis" {
  interface RedisCommander<Context> {
    leaderboardApply(...args: ApplyArgument[]): Result<[NotLoaded] | ["ok", ...string[]], Context>;
  }
}

/**
 * The standing of an owner after a ledger row, in each period
 * of the board.
 */
export interface AppliedRow {
  readonly sequence: number;
  readonly owner: string;
  /**
   * Whether ranks are answered, and kept for a repeated
   * question.
   */
  readonly answer: "" | "rank" | "keep";
  readonly rows: Readonly<Partial<Record<Period, BoardRow>>>;
}

/**
 * Rows of one stretch of the ledger, all of the same
 * periods.
 */
export interface ScoreBatch {
  readonly windows: Windows;
  /**
   * First and last sequence, with every one in between among
   * the rows; null for rows that were applied before.
   */
  readonly range: readonly [first: number, last: number] | null;
  /**
   * When the first was submitted, in ms since epoch: their
   * answers are kept together.
   */
  readonly submittedMs: number;
  readonly rows: readonly AppliedRow[];
  /**
   * Brings a build up to date that this server may not serve
   * yet.
   */
  readonly mends?: boolean;
}

/**
 * Rank after and before a row, in one period; null where
 * there was none.
 */
export interface RankChange {
  readonly rank: number;
  readonly previousRank: number | null;
}

/**
 * The version of the board, and the ranks of each row by
 * period: absent where not asked, or finished.
 */
export interface Applied {
  readonly version: number;
  readonly changes: readonly Readonly<Partial<Record<Period, RankChange>>>[];
}

/**
 * Answers are kept for one to two of these. A lost answer is
 * asked for again within seconds.
 */
const ANSWERS_MS = 10 * MINUTE;
/**
 * Most answers of one board that are kept for repeats in one
 * slice of time. Each takes some 60 bytes.
 */
export const MAX_ANSWERS = 100_000;
/** Bounds one script: some 20 µs for each row and period. */
export const BOARD_ROWS_AT_ONCE = 50;

/** The slice of time whose answers are kept together. */
export const answersSlice = (submittedMs: number): number => Math.floor(submittedMs / ANSWERS_MS);

export async function applyScores(
  link: BoardLink,
  build: BuildOf,
  batch: ScoreBatch,
): Promise<Applied | NotLoaded> {
  const { connection, keys, slotsOf, call } = link;
  const { board, generation } = build;
  const { windows, range, submittedMs, rows, mends = false } = batch;
  const answers = keys.boardAnswers(board.id, answersSlice(submittedMs));
  const applyKeys = [
    keys.board(board.id),
    keys.boardWaiting(board.id),
    answers,
    keys.boardNames(board.id),
    ...slotsOf(build, windows),
  ];
  const [first, last] = range ?? [0, 0];
  const periods = PERIODS.flatMap((period): ApplyArgument[] => {
    const window = board.periods.includes(period) ? windows[period] : undefined;
    return window
      ? [periodKey({ generation, period, startMs: window.startMs }), window.endMs]
      : ["", 0];
  });
  const args = [
    generation,
    first,
    last,
    board.tieRule,
    2 * ANSWERS_MS,
    mends ? "mend" : "",
    ...periods,
    MAX_ANSWERS,
    ...rows.flatMap((row) => spellApplied(board, row)),
  ];
  const [state, version, ...answered] = await call("apply", () =>
    connection.leaderboardApply(...applyKeys, ...args),
  );
  return state === NOT_LOADED
    ? NOT_LOADED
    : { version: Number(version), changes: answered.map(readChanges) };
}

function spellApplied(
  { order, periods }: BoardShape,
  { sequence, owner, answer, rows }: AppliedRow,
): ApplyArgument[] {
  const places = PERIODS.flatMap((period) => {
    const row = periods.includes(period) ? rows[period] : undefined;
    return row ? spellRow(order, row, sequence) : ["", "", ""];
  });
  return [sequence, owner, answer, ...places];
}

function readChanges(text: string): Partial<Record<Period, RankChange>> {
  const changes = text
    .split(";")
    .map((change) => change.split(",").map(Number) as [number, number]);
  return Object.fromEntries(
    PERIODS.flatMap((period, index) => {
      const [rank = 0, previousRank = 0] = changes[index] ?? [];
      return rank > 0 ? [[period, { rank, previousRank: previousRank || null }]] : [];
    }),
  );
}
