/** The connection of boards, its calls, and their keys. */
import type { BoardRecord } from "../../domain/leaderboard/leaderboard.js";
import { PERIODS, type Period, type Window } from "../../domain/leaderboard/periods.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";

export type BoardShape = Pick<BoardRecord, "id" | "order" | "tieRule" | "periods">;

export interface BuildOf {
  readonly board: BoardShape;
  readonly generation: string;
}

/** One period of one build that has keys. */
export interface BuiltPeriod {
  readonly generation: string;
  readonly period: Period;
  readonly startMs: number;
}

/** The period of each kind that something is about. */
export type Windows = Readonly<Partial<Record<Period, Window>>>;

export type BoardLink = ReturnType<typeof createBoardLink>;

export function createBoardLink({ connection, call }: RedisCaller, keys: Keys) {
  /** Ranks, owners and distinct scores of one period. */
  const keysOf = (board: number, name: string): [ranks: string, owners: string, scores: string] => [
    keys.boardRanks(board, name),
    keys.boardOwners(board, name),
    keys.boardScores(board, name),
  ];
  return {
    connection,
    call,
    keys,
    keysOf,
    /**
     * The keys of all four periods, kept or not: a script
     * declares a fixed number.
     */
    slotsOf: ({ board, generation }: BuildOf, windows: Windows): string[] =>
      PERIODS.flatMap((period) =>
        keysOf(board.id, periodKey({ generation, period, startMs: windows[period]?.startMs ?? 0 })),
      ),
  };
}

/**
 * Field of a board's hash: up to when periods of a kind are
 * archived.
 */
export const closedField = (period: Period): string => `closed:${period}`;

/** How a period of a build is named in keys. */
export const periodKey = ({ generation, period, startMs }: BuiltPeriod): string =>
  `${generation}:${period}:${startMs}`;

/** Reads {@link periodKey} back. */
export function readName(name: string): BuiltPeriod {
  const [generation = "", period, startMs] = name.split(":");
  return { generation, period: period as Period, startMs: Number(startMs) };
}
