/**
 * What every command of boards takes: the connection, the keys of a build, a deadline, and a clock
 * on each round trip.
 */
import type { BoardRecord } from "../../domain/leaderboard/leaderboard.js";
import { PERIODS, type Period, type Window } from "../../domain/leaderboard/periods.js";
import type { Telemetry } from "../../domain/telemetry/telemetry.js";
import type { RedisConnection } from "../client/connect.js";
import { withinDeadline } from "../client/deadline.js";
import type { Keys } from "../client/keys.js";

/** What has to be known of a board here. */
export type BoardShape = Pick<BoardRecord, "id" | "order" | "tieRule" | "periods">;

/** One build of one board. */
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

/** What boards need. */
export interface BoardStoreOptions {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  /** Longest wait for a reply. */
  readonly deadlineMs: number;
  readonly telemetry: Pick<Telemetry, "redisRoundTrip">;
}

/** See {@link createBoardLink}. */
export type BoardLink = ReturnType<typeof createBoardLink>;

export function createBoardLink({ connection, keys, deadlineMs, telemetry }: BoardStoreOptions) {
  /** Ranks, owners and distinct scores of one period. */
  const keysOf = (board: number, name: string): [ranks: string, owners: string, scores: string] => [
    keys.boardRanks(board, name),
    keys.boardOwners(board, name),
    keys.boardScores(board, name),
  ];
  return {
    connection,
    keys,
    keysOf,
    /**
     * The keys of all four periods. What a board does not keep has keys too, which nobody touches:
     * a script declares a fixed number.
     */
    slotsOf: ({ board, generation }: BuildOf, windows: Windows): string[] =>
      PERIODS.flatMap((period) =>
        keysOf(board.id, nameOf({ generation, period, startMs: windows[period]?.startMs ?? 0 })),
      ),
    /** The reply to one script, within the deadline. */
    async within<T>(what: string, send: () => Promise<T>): Promise<T> {
      const startedAt = performance.now();
      let failed = true;
      try {
        const reply = await withinDeadline(send(), deadlineMs);
        failed = false;
        return reply;
      } finally {
        telemetry.redisRoundTrip(what, performance.now() - startedAt, failed);
      }
    },
  };
}

/** Field of a board's hash that says up to when periods of a kind are archived. */
export const closedField = (period: Period): string => `closed:${period}`;

/** How a period of a build is named in keys. */
export const nameOf = ({ generation, period, startMs }: BuiltPeriod): string =>
  `${generation}:${period}:${startMs}`;

/** Reads {@link nameOf} back. */
export function readName(name: string): BuiltPeriod {
  const [generation = "", period, startMs] = name.split(":");
  return { generation, period: period as Period, startMs: Number(startMs) };
}
