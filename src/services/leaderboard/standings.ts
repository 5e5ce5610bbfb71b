/** From rows of the ledger to rows of boards. */
import type { Executor } from "../../db/client/database.js";
import type { LedgerRow, ScoreLedger, ShownRow } from "../../db/leaderboard/ledger.js";
import type { BoardRecord, BoardRow } from "../../domain/leaderboard/leaderboard.js";
import { PERIODS, type Period } from "../../domain/leaderboard/periods.js";
import {
  type AppliedRow,
  answersSlice,
  BOARD_ROWS_AT_ONCE,
  type ScoreBatch,
} from "../../redis/leaderboard/leaderboard.js";
import type { Calendars } from "./calendars.js";

/** A row of the ledger, with its owner's entry in each period. */
export interface PlacedRow {
  readonly row: LedgerRow;
  readonly places: Readonly<Partial<Record<Period, BoardRow>>>;
}

/** Completes rows; looks earlier ones up in one statement. */
export async function placeRows(
  ledger: ScoreLedger,
  executor: Executor,
  rows: readonly LedgerRow[],
): Promise<PlacedRow[]> {
  const shown = new Map<string, ShownRow>(rows.map((row) => [ownerIdOf(row), row]));
  const missing = new Map<string, { boardId: number; sequence: number }>();
  for (const { boardId, standings } of rows) {
    for (const { source } of Object.values(standings)) {
      const wanted = { boardId, sequence: source };
      if (!shown.has(ownerIdOf(wanted))) missing.set(ownerIdOf(wanted), wanted);
    }
  }
  for (const row of await ledger.shown(executor, [...missing.values()]))
    shown.set(ownerIdOf(row), row);
  return rows.map((row) => ({ row, places: placesOf(row, shown) }));
}

function placesOf(
  { boardId, owner, standings }: LedgerRow,
  shown: ReadonlyMap<string, ShownRow>,
): PlacedRow["places"] {
  const entries = Object.entries(standings).map(([period, { score, reached, source }]) => {
    const row = shown.get(ownerIdOf({ boardId, sequence: source }));
    if (!row) throw new Error("A row that a standing names is not in the ledger.");
    return [
      period,
      { owner, score, reached, metadata: row.metadata, submittedMs: row.submittedMs },
    ] as const;
  });
  return Object.fromEntries(entries);
}

const ownerIdOf = ({
  boardId,
  sequence,
}: {
  readonly boardId: number;
  readonly sequence: number;
}): string => `${boardId}:${sequence}`;

/** Batches of equal periods, in order. */
export function toBatches(
  board: BoardRecord,
  placed: readonly PlacedRow[],
  {
    calendars,
    answerOf,
    applied,
  }: { calendars: Calendars; answerOf(row: LedgerRow): AppliedRow["answer"]; applied?: boolean },
): ScoreBatch[] {
  const batches: PlacedRow[][] = [];
  for (const one of placed) {
    const last = batches.at(-1);
    if (last && last.length < BOARD_ROWS_AT_ONCE && fits(last[0] as PlacedRow, one)) last.push(one);
    else batches.push([one]);
  }
  return batches.map((rows) => {
    const [first, last] = [rows[0]?.row, rows.at(-1)?.row] as [LedgerRow, LedgerRow];
    const windows = Object.fromEntries(
      PERIODS.flatMap((period) => {
        const standing = first.standings[period];
        return standing ? [[period, calendars.windowAt(board, period, standing.startMs)]] : [];
      }),
    );
    return {
      windows,
      range: applied ? null : [first.sequence, last.sequence],
      submittedMs: first.submittedMs,
      rows: rows.map(({ row, places }) => ({
        sequence: row.sequence,
        owner: row.owner,
        answer: answerOf(row),
        rows: places,
      })),
    };
  });
}

/** Two rows of the same periods, whose answers are kept together. */
function fits({ row: a }: PlacedRow, { row: b }: PlacedRow): boolean {
  const samePeriods = PERIODS.every(
    (period) => a.standings[period]?.startMs === b.standings[period]?.startMs,
  );
  return samePeriods && answersSlice(a.submittedMs) === answersSlice(b.submittedMs);
}
