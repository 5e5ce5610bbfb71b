/**
 * Leaderboards: who stands where, in all periods at once.
 *
 * Per period one ZSET (rows.ts), one HASH (owner → what is
 * shown) and, for dense ranks, one ZSET of distinct scores.
 * Per board one HASH says which build is served. All keys of
 * a board share a slot. A row of the ledger says where its
 * owner stands after it, and the highest sequence wins: a
 * board depends on the set of applied rows alone.
 *
 * Postgres is the truth. A build carries the sequence up to
 * which it is complete, and the replication id of the server
 * on which that was checked. Another server, or one that
 * lost its memory, answers "not-loaded" until
 * services/leaderboard/rebuild.ts has caught up. Redis down:
 * everything rejects with RedisUnavailable within a
 * deadline.
 */
import type { Result } from "ioredis";
import type { BoardRow, Run, RunStart } from "../../domain/leaderboard/leaderboard.js";
import { PERIODS, type Period, type Window } from "../../domain/leaderboard/periods.js";
import { MINUTE } from "../../domain/time/time.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";
import { NOT_LOADED, type NotLoaded } from "../client/memory-fence.js";
import { createBoardBuilding } from "./build.js";
import {
  type BoardLink,
  type BoardShape,
  type BuildOf,
  closedField,
  createBoardLink,
  periodKey,
  type Windows,
} from "./link.js";
import { REACHED_SIZE, spellRow, spellRun, toBoardRow } from "./rows.js";

type Argument = string | number;

declare module "ioredis" {
  interface RedisCommander<Context> {
    leaderboardLook(
      board: string,
    ): Result<[] | [generation: string, applied: string, trusted: "0" | "1"], Context>;
    leaderboardVerify(board: string, generation: string, last: number): Result<0 | 1, Context>;
    leaderboardApply(...args: Argument[]): Result<[NotLoaded] | ["ok", ...string[]], Context>;
    leaderboardRead(...args: Argument[]): Result<ReadReply, Context>;
  }
}

type ReadReply =
  | [NotLoaded]
  | ["archived"]
  | ["outside-window", string]
  | ["ok", string, number, number, number, number, ...string[]];

/** The build of a board that is served. */
export interface ServedBuild {
  readonly generation: string;
  /** Sequence up to which it lacks nothing. */
  readonly applied: number;
  /** Whether this server may serve it. */
  readonly trusted: boolean;
}

/**
 * Where an owner stands after a row of the ledger, in each
 * period that the board keeps.
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

export interface ReadRequest {
  readonly period: Period;
  readonly window: Window;
  /**
   * Whether the window has to be the present one, by the clock
   * of Redis.
   */
  readonly present: boolean;
  readonly run: Run;
}

/** Rows of a board, best first. */
export interface ReadRows extends RunStart {
  readonly version: number;
  readonly total: number;
  readonly rows: readonly BoardRow[];
}

/**
 * Instead of rows: another build is served, another window
 * is the present one, or the period is no longer here.
 */
export type Unread = NotLoaded | "archived" | { readonly nowMs: number };

/** All methods reject with RedisUnavailable. */
export type BoardStore = ReturnType<typeof createBoardStore>;

/**
 * Answers are kept for one to two of these. A lost answer is
 * asked for again within seconds.
 */
const ANSWERS_MS = 10 * MINUTE;
/**
 * Answers of one board that are kept for repeats in one
 * slice of time, some 60 bytes each.
 */
export const MAX_ANSWERS = 100_000;
/** Bounds one script: some 20 µs for each row and period. */
export const BOARD_ROWS_AT_ONCE = 50;

/** The slice of time whose answers are kept together. */
export const answersSlice = (submittedMs: number): number => Math.floor(submittedMs / ANSWERS_MS);

export function createBoardStore(caller: RedisCaller, keys: Keys) {
  const link = createBoardLink(caller, keys);
  const { connection, call } = link;
  return {
    ...createBoardBuilding(link),
    /** Which build is served; null for none. One EVALSHA. */
    async look(board: number): Promise<ServedBuild | null> {
      const [generation, applied, trusted] = await call("look", () =>
        connection.leaderboardLook(keys.board(board)),
      );
      return generation === undefined
        ? null
        : { generation, applied: Number(applied), trusted: trusted === "1" };
    },
    /**
     * Lets this server serve a build that is complete up to
     * `last`. One EVALSHA.
     */
    async verify({ board, generation }: BuildOf, last: number): Promise<boolean> {
      return (
        (await call("verify", () =>
          connection.leaderboardVerify(keys.board(board.id), generation, last),
        )) === 1
      );
    },
    /**
     * Puts rows on a board. One EVALSHA; O(rows · log owners).
     * At most {@link BOARD_ROWS_AT_ONCE} rows.
     */
    apply: (build: BuildOf, batch: ScoreBatch): Promise<Applied | NotLoaded> =>
      applyScores(link, build, batch),
    /**
     * Reads rows of one period. One EVALSHA; O(log owners +
     * rows).
     */
    read: (build: BuildOf, request: ReadRequest): Promise<ReadRows | Unread> =>
      readPeriod(link, build, request),
  };
}

async function applyScores(
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
  const periods = PERIODS.flatMap((period): Argument[] => {
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

async function readPeriod(
  link: BoardLink,
  { board, generation }: BuildOf,
  request: ReadRequest,
): Promise<ReadRows | Unread> {
  const { connection, keys, keysOf, call } = link;
  const { period, window, present, run } = request;
  const readKeys = [
    keys.board(board.id),
    ...keysOf(board.id, periodKey({ generation, period, startMs: window.startMs })),
  ];
  const what = [
    generation,
    closedField(period),
    board.tieRule,
    window.startMs,
    window.endMs,
    present ? "now" : "",
  ];
  const reply = await call("read", () =>
    connection.leaderboardRead(...readKeys, ...what, ...spellRun(run), REACHED_SIZE),
  );
  return readReply(board, reply);
}

function spellApplied(
  { order, periods }: BoardShape,
  { sequence, owner, answer, rows }: AppliedRow,
): Argument[] {
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

function readReply({ order }: BoardShape, reply: ReadReply): ReadRows | Unread {
  if (reply[0] === "outside-window") return { nowMs: Number(reply[1]) };
  if (reply[0] !== "ok") return reply[0];
  const [, version, total, position, better, distinctBetter, ...flat] = reply;
  const rows = Array.from({ length: flat.length / 3 }, (_, index) =>
    toBoardRow(order, flat.slice(3 * index, 3 * index + 3) as [string, string, string]),
  );
  return { version: Number(version), total, position, better, distinctBetter, rows };
}
