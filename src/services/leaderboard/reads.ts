/**
 * Reads boards: periods that are not archived from
 * Redis, archived ones from Postgres. The clock of
 * Redis decides the present period: the reading script
 * checks our guess.
 */
import type { Executor } from "../../db/client/database.js";
import type { ArchivedStart, FinishedPeriod, ScoreArchive } from "../../db/leaderboard/archive.js";
import type { BoardTable } from "../../db/leaderboard/leaderboards.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import {
  type BoardRecord,
  type RankedRow,
  type Run,
  rankRows,
} from "../../domain/leaderboard/leaderboard.js";
import type { Period, Window } from "../../domain/leaderboard/periods.js";
import type { RedisClock } from "../../redis/client/clock.js";
import type { BoardStore, ReadRows } from "../../redis/leaderboard/leaderboard.js";
import type { Calendars } from "./calendars.js";
import type { BoardRebuild } from "./rebuild.js";

/** The period of an instant (ms since epoch); null: now. */
export interface PeriodOf {
  readonly period: Period;
  readonly atMs: number | null;
}

/** A run of ranked rows, best first. */
export interface BoardSlice {
  readonly period: Period;
  readonly window: Window;
  /** Rises with every change; 0 once archived. */
  readonly version: number;
  readonly total: number;
  /** Place of the first row, from 0. */
  readonly position: number;
  readonly rows: readonly RankedRow[];
  readonly archived: boolean;
}

/** Reads boards. All methods throw ServiceUnavailable. */
export interface BoardReads {
  /** Rows of a period. `run` may depend on which period that is. */
  read(board: BoardRecord, of: PeriodOf, run: Run | ((window: Window) => Run)): Promise<BoardSlice>;
}

export interface BoardReadDeps {
  readonly database: Executor;
  readonly boards: Pick<BoardTable, "byIds">;
  readonly archive: ScoreArchive;
  readonly store: Pick<BoardStore, "read">;
  readonly rebuild: Pick<BoardRebuild, "use">;
  readonly calendars: Calendars;
  readonly clock: Pick<RedisClock, "nowMs" | "observe">;
}

/** One correction makes a clock right. */
const MAX_CORRECTIONS = 3;

export function createBoardReads(deps: BoardReadDeps): BoardReads {
  const { boards, store, rebuild, calendars, clock } = deps;

  const readLive = async (
    board: BoardRecord,
    { period, atMs }: PeriodOf,
    runOf: (window: Window) => Run,
  ): Promise<BoardSlice | "archived"> => {
    for (let corrections = 0; corrections < MAX_CORRECTIONS; corrections++) {
      const window = calendars.windowAt(board, period, atMs ?? clock.nowMs());
      const request = { period, window, present: atMs === null, run: runOf(window) };
      const read = await rebuild.use(board, (build) => store.read(build, request));
      if (read === "archived") return "archived";
      if (!("nowMs" in read)) return toSlice(board, { period, window }, read);
      clock.observe(read.nowMs);
    }
    throw new ServiceUnavailable("The clocks of the shop do not agree. Try again in a moment.");
  };

  return {
    async read(board, of, run) {
      const runOf = typeof run === "function" ? run : () => run;
      const finished = finishedOf(calendars, board, of);
      if (finished && isArchived(board, finished))
        return readArchive(deps, finished, runOf(finished.window));
      const live = await readLive(board, of, runOf);
      if (live !== "archived") return live;
      // Archived since this process read the board, or about
      // to be.
      const [fresh] = await boards.byIds([board.id]);
      if (finished && fresh && isArchived(fresh, finished))
        return readArchive(deps, finished, runOf(finished.window));
      throw new ServiceUnavailable(
        "This period has just ended and is being archived. Try again in a moment.",
      );
    },
  };
}

function finishedOf(
  calendars: Calendars,
  board: BoardRecord,
  { period, atMs }: PeriodOf,
): FinishedPeriod | null {
  return atMs === null || period === "ALL_TIME"
    ? null
    : { board, period, window: calendars.windowAt(board, period, atMs) };
}

const isArchived = ({ archivedMs }: BoardRecord, { period, window }: FinishedPeriod): boolean =>
  window.endMs <= (archivedMs[period] ?? 0);

function toSlice(
  board: BoardRecord,
  of: Pick<BoardSlice, "period" | "window">,
  { version, total, rows, ...start }: ReadRows,
): BoardSlice {
  const { position } = start;
  return {
    ...of,
    version,
    total,
    position,
    rows: rankRows(board.tieRule, start, rows),
    archived: false,
  };
}

async function readArchive(
  { archive, database }: BoardReadDeps,
  finished: FinishedPeriod,
  run: Run,
): Promise<BoardSlice> {
  const total = await archive.total(finished);
  const slice = {
    period: finished.period,
    window: finished.window,
    version: 0,
    total,
    archived: true,
  };
  const found = total > 0 ? await archivedRun(archive, finished, { run, total }) : null;
  if (!found || found.count === 0) return { ...slice, position: 0, rows: [] };
  const rows = await archive.rows(database, finished, found.start, found.count);
  return { ...slice, position: rows[0]?.place ?? total, rows };
}

/** Where a run begins in the archive; null: the owner has no row. */
async function archivedRun(
  archive: ScoreArchive,
  finished: FinishedPeriod,
  { run, total }: { run: Run; total: number },
): Promise<{ start: ArchivedStart; count: number } | null> {
  if (run.from === "place") return { start: { place: run.place }, count: run.count };
  if (run.from === "rank") return { start: { rank: run.rank }, count: run.count };
  if (run.from === "after")
    return { start: { key: run.key, reached: run.reached }, count: run.count };
  const place = await archive.placeOf(finished, run.owner);
  if (place === null) return null;
  const count = run.from === "owner" ? 1 : Math.min(total, 2 * run.radius + 1);
  return {
    start: {
      place:
        run.from === "owner" ? place : Math.max(0, Math.min(place - run.radius, total - count)),
    },
    count,
  };
}
