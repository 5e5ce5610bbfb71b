/** Leaderboards: created by admins, found by slug, public to read. */
import { LRUCache } from "lru-cache";
import type { BoardTable } from "../../db/leaderboard/leaderboards.js";
import { type Principal, requireAdmin } from "../../domain/account/principal.js";
import { entriesUpTo } from "../../domain/concurrency/bounded-cache.js";
import { BadUserInput, type UserError } from "../../domain/errors.js";
import {
  BOARD_LIMITS,
  type BoardDraft,
  type BoardRecord,
  isArchivable,
  type ScoreSource,
} from "../../domain/leaderboard/leaderboard.js";
import type { Period } from "../../domain/leaderboard/periods.js";
import type { IdPage, PageRequest } from "../../domain/page.js";
import type { Clock } from "../../domain/time/clock.js";
import { DAY } from "../../domain/time/time.js";
import { createSharedReads } from "../shared-reads.js";
import type { Calendars } from "./calendars.js";
import { checkBoard, slugTaken } from "./draft.js";
import { type LabelSources, labelOwners } from "./owner-labels.js";
import type { BoardReads, BoardSlice } from "./reads.js";

/** The board, or why there is none. */
export interface BoardOutcome {
  readonly board: BoardRecord | null;
  readonly errors: readonly UserError[];
}

/** The top of a board, with the names of its owners. */
export interface BoardSnapshot {
  readonly board: BoardRecord;
  readonly slice: BoardSlice;
  readonly labels: ReadonlyMap<string, string>;
}

export interface Leaderboards extends BoardReads {
  /** For admins. Throws Unauthenticated or Forbidden. */
  create(principal: Principal, draft: BoardDraft): Promise<BoardOutcome>;
  /** The board that the shop feeds, created unless it is there. */
  provide(draft: BoardDraft): Promise<BoardRecord>;
  bySlug(slug: string): Promise<BoardRecord | null>;
  /** The boards with these ids, in their order; null for none. */
  byIds(ids: readonly number[]): Promise<(BoardRecord | null)[]>;
  page(page: PageRequest): Promise<IdPage>;
  count(): Promise<number>;
  /** Throws BadUserInput without such a board or period. */
  mustExist(slug: string, period: Period): Promise<BoardRecord>;
  /** The top of the present period, by shared reads. */
  snapshot(slug: string, period: Period, top: number): Promise<BoardSnapshot>;
}

export interface LeaderboardsDeps {
  readonly boards: BoardTable;
  readonly reads: BoardReads;
  readonly calendars: Calendars;
  readonly clock: Clock;
  readonly labels: LabelSources;
  /** Shortest time between two shared reads of the same. */
  readonly everyMs: number;
}

/** Boards change only in what is archived, which reads look up. */
const MAX_CACHED = 1_000;

export function createLeaderboards({
  boards,
  reads,
  calendars,
  clock,
  labels,
  everyMs,
}: LeaderboardsDeps): Leaderboards {
  const shared = createSharedReads<BoardSnapshot>(everyMs);
  const bySlug = cachedBySlug(boards);
  const mustExist = async (slug: string, period: Period): Promise<BoardRecord> => {
    const board = await bySlug(slug);
    if (!board) throw new BadUserInput("There is no leaderboard with this slug.", ["slug"]);
    return requirePeriod(board, period);
  };
  const add = (draft: BoardDraft, source: ScoreSource): Promise<BoardRecord | null> =>
    boards.create(draft, source, archivedAtFirst(calendars, draft, clock.nowMs()));

  return {
    read: (board, of, run) => reads.read(requirePeriod(board, of.period), of, run),
    async create(principal, input) {
      requireAdmin(principal);
      const { draft, errors } = checkBoard(input);
      if (errors.length > 0) return { board: null, errors };
      const board = await add(draft, "CLIENTS");
      return board ? { board, errors: [] } : { board: null, errors: [slugTaken(draft.slug)] };
    },
    async provide(draft) {
      const board = (await add(draft, "SHOP")) ?? (await boards.bySlug(draft.slug));
      if (!board) throw new Error(`The leaderboard ${draft.slug} was there and is gone.`);
      return board;
    },
    bySlug,
    async byIds(ids) {
      const found = new Map((await boards.byIds(ids)).map((board) => [board.id, board]));
      return ids.map((id) => found.get(id) ?? null);
    },
    page: (page) => boards.page(page),
    count: () => boards.count(),
    mustExist,
    snapshot: (slug, period, top) =>
      shared.read(`${slug}:${period}:${top}`, async () => {
        const board = await mustExist(slug, period);
        const run = { from: "place", place: 0, count: top } as const;
        const slice = await reads.read(board, { period, atMs: null }, run);
        const owners = slice.rows.map(({ owner }) => owner);
        return { board, slice, labels: await labelOwners(labels, owners) };
      }),
  };
}

function cachedBySlug(boards: Pick<BoardTable, "bySlug">) {
  const cached = new LRUCache<string, BoardRecord>(entriesUpTo(MAX_CACHED));
  return async (slug: string): Promise<BoardRecord | null> => {
    if (slug.length > BOARD_LIMITS.slug) return null;
    const board = cached.get(slug) ?? (await boards.bySlug(slug));
    if (board) cached.set(slug, board);
    return board;
  };
}

function requirePeriod(board: BoardRecord, period: Period): BoardRecord {
  if (board.periods.includes(period)) return board;
  throw new BadUserInput(
    `The leaderboard is not kept for this period, only for ${board.periods.join(", ")}.`,
    ["period"],
  );
}

/** No score is older than its board; a day of room for clocks. */
function archivedAtFirst(
  calendars: Calendars,
  { timeZone, periods }: BoardDraft,
  nowMs: number,
): BoardRecord["archivedMs"] {
  const yesterday = nowMs - DAY;
  return Object.fromEntries(
    periods
      .filter(isArchivable)
      .map((period) => [period, calendars.windowAt({ timeZone }, period, yesterday).startMs]),
  );
}
