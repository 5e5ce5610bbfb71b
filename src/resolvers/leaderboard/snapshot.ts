/**
 * The edges of a board inside an event. They answer from the top
 * that the event holds, where it is enough: one read, and the
 * same values in both places.
 */
import type { Run } from "../../domain/leaderboard/leaderboard.js";
import type { Window } from "../../domain/leaderboard/periods.js";
import type { Leaderboard } from "../../schema/leaderboard.js";
import type { BoardSnapshot } from "../../services/leaderboard/leaderboards.js";
import type { BoardReads, BoardSlice, PeriodOf } from "../../services/leaderboard/reads.js";

/** A board; in an event with the top that was read for it. */
export type WatchedBoard = Leaderboard & { readonly snapshot?: BoardSnapshot };

/** What is asked of a board. */
interface BoardQuestion {
  readonly of: PeriodOf;
  readonly run: Run | ((window: Window) => Run);
}

/** A slice, with names of owners where they are known. */
export interface NamedSlice {
  readonly slice: BoardSlice;
  readonly labels?: ReadonlyMap<string, string>;
}

/** Throws ServiceUnavailable where it has to read and cannot. */
export async function readSlice(
  reads: BoardReads,
  board: WatchedBoard,
  question: BoardQuestion,
): Promise<NamedSlice> {
  const held = heldTop(board, question);
  return held ?? { slice: await reads.read(board.record, question.of, question.run) };
}

/** The top, where the event holds all of it that is asked for. */
function heldTop({ snapshot }: WatchedBoard, { of, run }: BoardQuestion): NamedSlice | null {
  const isTop = typeof run === "object" && run.from === "place" && run.place === 0;
  if (!snapshot || !isTop || of.atMs !== null || of.period !== snapshot.slice.period) return null;
  const { slice, labels } = snapshot;
  const isEnough = run.count <= slice.rows.length || slice.rows.length === slice.total;
  return isEnough ? { slice: { ...slice, rows: slice.rows.slice(0, run.count) }, labels } : null;
}
