/** Board stores of tests, without a ledger behind them. */
import { onTestFinished } from "vitest";
import type { BoardRow } from "../../../src/domain/leaderboard/leaderboard.js";
import { ALL_TIME, PERIODS } from "../../../src/domain/leaderboard/periods.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import { type BoardStore, createBoardStore } from "../../../src/redis/leaderboard/leaderboard.js";
import type { BoardShape, BuildOf } from "../../../src/redis/leaderboard/link.js";
import { testCaller } from "../../support/caller.js";
import { testLog } from "../../support/log.js";

/** A store on a connection of its own, which goes with the test. */
export async function readyBoards({ url, keys }: { url: string; keys: Keys }): Promise<BoardStore> {
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  return createBoardStore(testCaller(connection), keys);
}

/** Windows that hold any time a test runs at. */
export const WINDOWS = Object.fromEntries(
  PERIODS.map((period) => [
    period,
    period === "ALL_TIME" ? ALL_TIME : { startMs: 1_000, endMs: 9e12 },
  ]),
);

/** Builds an empty board and serves it. */
export async function serveEmpty(store: BoardStore, board: BoardShape): Promise<BuildOf> {
  const build = await store.begin(board, "builder");
  if (!build) throw new Error("somebody builds already");
  for (const period of board.periods)
    await store.load(build, "builder", { period, startMs: WINDOWS[period]!.startMs, rows: [] });
  await store.serve(build, "builder", { windows: WINDOWS, applied: 0, builtMs: 1, closedMs: {} });
  return build;
}

/** A row of the ledger that left its owner with a score in all periods. */
export function ledgerRow(sequence: number, owner: string, score: number) {
  const row: BoardRow = { owner, score, reached: sequence, metadata: null, submittedMs: 2_000 };
  return {
    sequence,
    owner,
    answer: "keep",
    rows: Object.fromEntries(PERIODS.map((period) => [period, row])),
  } as const;
}

/**
 * Leaves a key of every family of boards: with a batch that came too early, and somebody who
 * builds.
 */
export async function leaveBoard(place: { url: string; keys: Keys }): Promise<void> {
  await useBoard(await readyBoards(place));
}

/** Everything that a store of boards does; what it leaves is said at {@link leaveBoard}. */
export async function useBoard(store: BoardStore): Promise<void> {
  const board: BoardShape = { id: 1, order: "DESC", tieRule: "DENSE", periods: PERIODS };
  const build = await serveEmpty(store, board);
  await store.apply(build, {
    windows: WINDOWS,
    range: [2, 2],
    submittedMs: 2_000,
    rows: [ledgerRow(2, "somebody", 5)],
  });
  const [period, startMs] = ["DAY", WINDOWS.DAY!.startMs] as const;
  const request = { period, window: WINDOWS[period]!, present: true } as const;
  await store.read(build, { ...request, run: { from: "rank", rank: 2, count: 1 } });
  await store.read(build, { ...request, run: { from: "after", key: -5, reached: 1, count: 1 } });
  await store.read(build, { ...request, run: { from: "around", owner: "somebody", radius: 1 } });
  await store.apply(build, {
    windows: WINDOWS,
    range: [3, 3],
    submittedMs: 2_000,
    rows: [ledgerRow(3, "somebody", 6)],
  });
  await store.verify(build, 0);
  for (const built of await store.built(board.id))
    if (built.period === "WEEK") await store.drop(board.id, built, startMs);
  await store.begin(board, "another");
}
