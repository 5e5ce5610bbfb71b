/**
 * Leaderboards: their terms, the rules from a submission to a
 * standing, and from standings to ranks. Everything that
 * decides an order is here; Lua and SQL carry it out.
 */
import type { Period } from "./periods.js";

export const SCORE_OPERATORS = ["BEST", "LATEST", "SUM"] as const;
/**
 * Which score of an owner counts: the best, the latest, or
 * all of them added up.
 */
export type ScoreOperator = (typeof SCORE_OPERATORS)[number];

export const SORT_ORDERS = ["DESC", "ASC"] as const;
/** Whether high scores are good (DESC), or low ones (ASC). */
export type SortOrder = (typeof SORT_ORDERS)[number];

export const TIE_RULES = ["FIRST_TO_REACH", "COMPETITION", "DENSE"] as const;
/**
 * How equal scores are ranked: 1, 2, 3 by who was first; 1,
 * 2, 2, 4; or 1, 2, 2, 3.
 */
export type TieRule = (typeof TIE_RULES)[number];

export const SCORE_SOURCES = ["CLIENTS", "SHOP"] as const;
/**
 * Where scores of a board come from: callers of
 * `submitScore`, or events of the shop alone.
 */
export type ScoreSource = (typeof SCORE_SOURCES)[number];

/** Scores are doubles; beyond this whole numbers are no longer exact. */
export const MAX_SCORE = 2 ** 53;

/**
 * Bounds of what clients send; `metadata` in bytes of UTF-8,
 * the others in characters.
 */
export const BOARD_LIMITS = {
  slug: 64,
  title: 100,
  owner: 128,
  metadata: 1_024,
  operationId: 128,
  radius: 50,
  top: 100,
} as const;

/** Settings of a board, which never change. */
export interface BoardDraft {
  readonly slug: string;
  readonly title: string;
  readonly operator: ScoreOperator;
  readonly order: SortOrder;
  readonly tieRule: TieRule;
  readonly periods: readonly Period[];
  /** IANA name. */
  readonly timeZone: string;
}

/** A board. Only `archivedMs` changes. */
export interface BoardRecord extends BoardDraft {
  readonly id: number;
  readonly source: ScoreSource;
  /**
   * End of the last archived period of each kind, in ms since
   * epoch; absent for never.
   */
  readonly archivedMs: Readonly<Partial<Record<Period, number>>>;
}

export interface Submission {
  readonly boardId: number;
  readonly owner: string;
  readonly score: number;
  readonly metadata: string | null;
  /** Makes it safe to repeat; unique for the owner on the board. */
  readonly operationId: string | null;
}

/** A score from an event of the shop. */
export interface ShopScore {
  /** The board, by its slug. */
  readonly slug: string;
  readonly owner: string;
  readonly score: number;
  /** Names the event, so that it counts once. */
  readonly operationId: string;
}

/** The standing of an owner in one period, after a row of the ledger. */
export interface Standing {
  /** When the period began, in ms since epoch. */
  readonly startMs: number;
  readonly score: number;
  /**
   * Sequence of the row that reached this score: of equal
   * scores the lower one came first.
   */
  readonly reached: number;
  /** Sequence of the row whose metadata and time are shown. */
  readonly source: number;
}

/** Standings after a row of the ledger, by period. */
export type Standings = Readonly<Partial<Record<Period, Standing>>>;

export type BoardRules = Pick<BoardDraft, "operator" | "order">;

/** A row of the ledger before its standings are known. */
export interface LedgerEntry {
  readonly sequence: number;
  readonly score: number;
  readonly startMs: number;
}

/**
 * The standing after a score, given the one before in the
 * same period. Null when a sum would leave ±2^53, beyond
 * which it is not exact.
 */
export function advance(
  { operator, order }: BoardRules,
  before: Standing | undefined,
  { sequence, score, startMs }: LedgerEntry,
): Standing | null {
  const fresh = { startMs, score, reached: sequence, source: sequence };
  if (!before || before.startMs !== startMs) return fresh;
  if (operator === "BEST") return isBetter(order, score, before.score) ? fresh : before;
  if (operator === "SUM" && leavesBounds(before.score, score)) return null;
  const next = operator === "SUM" ? before.score + score : score;
  // Reaching the same score again keeps the earlier time.
  return { ...fresh, score: next, reached: next === before.score ? before.reached : sequence };
}

/**
 * Whether a sum leaves ±2^53. Adding first would hide it:
 * 2^53 + 1 is 2^53 again. The difference of numbers within a
 * factor of two is exact.
 */
function leavesBounds(a: number, b: number): boolean {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  return low > MAX_SCORE - high || high < -MAX_SCORE - low;
}

/** Whether a score beats another. */
export const isBetter = (order: SortOrder, score: number, other: number): boolean =>
  order === "DESC" ? score > other : score < other;

/**
 * Sort key of a board: lower is better. Exact, and never the
 * negative zero.
 */
export const sortKey = (order: SortOrder, score: number): number =>
  order === "DESC" ? 0 - score : score + 0;

/** The score behind a {@link sortKey}. */
export const scoreOf = (order: SortOrder, key: number): number => sortKey(order, key);

/** An entry of a board as it is stored, without place and rank. */
export interface BoardRow {
  readonly owner: string;
  readonly score: number;
  readonly reached: number;
  readonly metadata: string | null;
  readonly submittedMs: number;
}

/** An entry with its rank. */
export interface RankedRow extends BoardRow {
  /** By the tie rule of the board; 1 is the best. */
  readonly rank: number;
  /** Entries with a better score. */
  readonly better: number;
}

export type Run =
  | { readonly from: "place"; readonly place: number; readonly count: number }
  | { readonly from: "rank"; readonly rank: number; readonly count: number }
  /** After a place in the order, whether an entry is there or not. */
  | {
      readonly from: "after";
      readonly key: number;
      readonly reached: number;
      readonly count: number;
    }
  | { readonly from: "owner"; readonly owner: string }
  /** As many rows on each side, more on one where the other ends. */
  | { readonly from: "around"; readonly owner: string; readonly radius: number };

export interface RunStart {
  /** Place of the first row, 0 for the very first of the board. */
  readonly position: number;
  /** Entries with a better score than the first row's. */
  readonly better: number;
  /**
   * Distinct scores better than the first row's; 0 where the
   * rule does not need it.
   */
  readonly distinctBetter: number;
}

/** Ranks consecutive rows of a board. */
export function rankRows(
  tieRule: TieRule,
  { position, better, distinctBetter }: RunStart,
  rows: readonly BoardRow[],
): RankedRow[] {
  let [group, distinct, score] = [better, distinctBetter, rows[0]?.score];
  return rows.map((row, index) => {
    if (row.score !== score) [group, distinct, score] = [position + index, distinct + 1, row.score];
    const ranks = { FIRST_TO_REACH: position + index, COMPETITION: group, DENSE: distinct };
    return { ...row, rank: ranks[tieRule] + 1, better: group };
  });
}

/**
 * Share of a board that an entry is at least as good as, in
 * percent: 100 for the best score, never 0.
 */
export const percentileOf = (total: number, better: number): number =>
  (100 * (total - better)) / total;

/** Whether periods of this kind end. */
export const isArchivable = (period: Period): boolean => period !== "ALL_TIME";

/** What one submission did in one period. */
export interface ScoreChange {
  readonly period: Period;
  readonly rank: number;
  /** Null where the owner was not on the board. */
  readonly previousRank: number | null;
  /** The score that counts now. */
  readonly score: number;
}
