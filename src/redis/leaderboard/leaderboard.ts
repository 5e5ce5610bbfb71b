/**
 * Leaderboards: who stands where, in all periods at once.
 *
 * Per period one ZSET (rows.ts) and one HASH (owner → what is
 * shown). Dense ranks take one more ZSET, of distinct scores.
 * Per board one HASH says which build is served. All keys of
 * a board share a slot. A row of the ledger says where its
 * owner stands after it. The highest sequence wins: a board
 * depends on the set of applied rows alone.
 *
 * Postgres is the truth. A build carries the sequence up to
 * which it is complete. It also carries the replication id of
 * the server on which that was checked. Another server, or
 * one that lost its memory, answers "not-loaded" until
 * services/leaderboard/rebuild.ts has caught up. Redis down:
 * everything rejects with RedisUnavailable within a deadline.
 */
import type { Result } from "ioredis";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";
import type { NotLoaded } from "../client/memory-fence.js";
import { type Applied, applyScores, type ScoreBatch } from "./apply.js";
import { createBoardBuilding } from "./build.js";
import { type BuildOf, createBoardLink } from "./link.js";
import { type NotRead, type ReadRequest, type ReadRows, readPeriod } from "./read.js";

export {
  type Applied,
  type AppliedRow,
  answersSlice,
  BOARD_ROWS_AT_ONCE,
  MAX_ANSWERS,
  type RankChange,
  type ScoreBatch,
} from "./apply.js";
export type { ReadRows } from "./read.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    leaderboardLook(
      board: string,
    ): Result<[] | [generation: string, applied: string, verified: "0" | "1"], Context>;
    leaderboardVerify(board: string, generation: string, last: number): Result<0 | 1, Context>;
  }
}

/** The build of a board that is served. */
export interface ServedBuild {
  readonly generation: string;
  /** Sequence up to which it lacks nothing. */
  readonly applied: number;
  /** Whether this server may serve it. */
  readonly verified: boolean;
}

/** All methods reject with RedisUnavailable. */
export type BoardStore = ReturnType<typeof createBoardStore>;

export function createBoardStore(caller: RedisCaller, keys: Keys) {
  const link = createBoardLink(caller, keys);
  const { connection, call } = link;
  return {
    ...createBoardBuilding(link),
    /** Which build is served; null for none. One EVALSHA. */
    async look(board: number): Promise<ServedBuild | null> {
      const [generation, applied, verified] = await call("look", () =>
        connection.leaderboardLook(keys.board(board)),
      );
      return generation === undefined
        ? null
        : { generation, applied: Number(applied), verified: verified === "1" };
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
    read: (build: BuildOf, request: ReadRequest): Promise<ReadRows | NotRead> =>
      readPeriod(link, build, request),
  };
}
