/** Counts the boards in Redis that lack rows of their ledger. */
import type { BoardTable } from "../../db/leaderboard/leaderboards.js";
import type { ScoreLedger } from "../../db/leaderboard/ledger.js";
import type { BoardStore } from "../../redis/leaderboard/leaderboard.js";

export interface BehindDeps {
  readonly boards: Pick<BoardTable, "all">;
  readonly ledger: Pick<ScoreLedger, "heads">;
  readonly store: Pick<BoardStore, "look">;
}

/** Bounds one read; the oldest boards first. */
const MAX_BOARDS = 1_000;

/** Boards behind, and rows they lack. Two statements, one round trip. */
export async function countBehind({
  boards,
  ledger,
  store,
}: BehindDeps): Promise<{ readonly behind: number; readonly sequences: number }> {
  const ids = (await boards.all()).slice(0, MAX_BOARDS).map(({ id }) => id);
  const heads = await ledger.heads(ids);
  const lacking = await Promise.all(
    heads.map(async ({ boardId, sequence }) =>
      Math.max(0, sequence - ((await store.look(boardId))?.applied ?? 0)),
    ),
  );
  return {
    behind: lacking.filter((rows) => rows > 0).length,
    sequences: lacking.reduce((sum, rows) => sum + rows, 0),
  };
}
