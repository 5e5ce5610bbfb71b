/**
 * Building a board anew, beside the one that is served. A
 * build has a generation of its own. Its keys expire when
 * the builder falls silent, and it takes over in one step.
 * One builder at a time has the right.
 */
import type { Result } from "ioredis";
import type { BoardRow } from "../../domain/leaderboard/leaderboard.js";
import type { Period } from "../../domain/leaderboard/periods.js";
import { SECOND } from "../../domain/time/time.js";
import {
  type BoardLink,
  type BoardShape,
  type BuildOf,
  type BuiltPeriod,
  closedField,
  periodKey,
  readName,
  type Windows,
} from "./link.js";
import { spellRow } from "./rows.js";

type BuildArgument = string | number;

declare module "ioredis" {
  interface RedisCommander<Context> {
    leaderboardBegin(build: string, builder: string, silentMs: number): Result<string, Context>;
    leaderboardLoad(...args: BuildArgument[]): Result<0 | 1, Context>;
    leaderboardServe(...args: BuildArgument[]): Result<0 | 1, Context>;
    leaderboardDrop(...args: BuildArgument[]): Result<1, Context>;
  }
}

/**
 * Owners of one period of a build, each with the sequence of
 * their last row.
 */
export interface BuiltRows {
  readonly period: Period;
  readonly startMs: number;
  readonly rows: readonly { readonly sequence: number; readonly row: BoardRow }[];
}

export interface FinishedBuild {
  readonly windows: Windows;
  /** Sequence of the last row there was before the build began. */
  readonly applied: number;
  /**
   * When that was, in ms since epoch: periods that ended
   * before are not in it.
   */
  readonly builtMs: number;
  /** Up to when periods are archived, in ms since epoch. */
  readonly closedMs: Readonly<Partial<Record<Period, number>>>;
}

/**
 * A builder that is silent for longer has died; what it
 * built goes with it.
 */
const BUILDER_SILENT_MS = 30 * SECOND;

export function createBoardBuilding(link: BoardLink) {
  const { connection, keys, keysOf, call } = link;
  return {
    /**
     * The right to build; null while another builder has it. One
     * EVALSHA.
     */
    async begin(board: BoardShape, builder: string): Promise<BuildOf | null> {
      const generation = await call("build", () =>
        connection.leaderboardBegin(keys.boardBuild(board.id), builder, BUILDER_SILENT_MS),
      );
      return generation === "" ? null : { board, generation };
    },
    /**
     * Puts owners on one period of a build that is not served
     * yet. One EVALSHA. False when the right to build is lost.
     */
    async load(
      { board, generation }: BuildOf,
      builder: string,
      { period, startMs, rows }: BuiltRows,
    ): Promise<boolean> {
      const spelled = rows.flatMap(({ sequence, row }) => [
        row.owner,
        ...spellRow(board.order, row, sequence),
      ]);
      const loadKeys = [
        keys.boardBuild(board.id),
        ...keysOf(board.id, periodKey({ generation, period, startMs })),
      ];
      const args = [builder, BUILDER_SILENT_MS, board.tieRule, ...spelled];
      return (await call("build", () => connection.leaderboardLoad(...loadKeys, ...args))) === 1;
    },
    /**
     * Serves a build from now on. One EVALSHA. False when the
     * right to build is lost.
     */
    serve: async (build: BuildOf, builder: string, finished: FinishedBuild): Promise<boolean> =>
      (await serve(link, build, builder, finished)) === 1,
    /** Every period of every build that has keys. One SMEMBERS. */
    async built(board: number): Promise<BuiltPeriod[]> {
      const names = await call("names", () => connection.smembers(keys.boardNames(board)));
      return names.map(readName);
    },
    /**
     * Takes a period out; with `endMs` for good: nothing can be
     * put on it any more. One EVALSHA. Can be repeated.
     */
    async drop(board: number, built: BuiltPeriod, endMs: number | null): Promise<void> {
      const name = periodKey(built);
      const field = endMs === null ? "" : closedField(built.period);
      const dropKeys = [keys.board(board), keys.boardNames(board), ...keysOf(board, name)];
      await call("drop", () => connection.leaderboardDrop(...dropKeys, name, field, endMs ?? 0));
    },
  };
}

function serve(
  link: BoardLink,
  build: BuildOf,
  builder: string,
  { windows, applied, builtMs, closedMs }: FinishedBuild,
): Promise<0 | 1> {
  const { connection, keys, slotsOf, call } = link;
  const { board, generation } = build;
  const serveKeys = [
    keys.board(board.id),
    keys.boardBuild(board.id),
    keys.boardNames(board.id),
    ...slotsOf(build, windows),
    keys.boardWaiting(board.id),
  ];
  const closed = [closedMs.MONTH ?? 0, closedMs.WEEK ?? 0, closedMs.DAY ?? 0];
  const names = board.periods.map((period) =>
    periodKey({ generation, period, startMs: windows[period]?.startMs ?? 0 }),
  );
  return call("build", () =>
    connection.leaderboardServe(
      ...serveKeys,
      builder,
      generation,
      applied,
      builtMs,
      ...closed,
      ...names,
    ),
  );
}
