/**
 * Tells the world that boards changed, at most so often for each board: ten thousand submissions a second are ten publications a second
 * from each process, and the last change is always told.
 */
import type { Logger } from "pino";
import type { BoardRecord } from "../domain/leaderboard.js";
import type { Period } from "../domain/periods.js";
import type { PubSub } from "../redis/pubsub.js";

/** Tells of changes. */
export interface BoardChanges {
  /** A board has a new version: now, or as soon as the last word about it is old enough. */
  changed(board: BoardRecord, version: number): void;
  /** Stops; what has not been told is not. */
  close(): void;
}

/** The name of a board's period in topics. */
export const boardTopicId = (slug: string, period: Period): string => `${slug}:${period}`;

interface Pending {
  readonly board: BoardRecord;
  version: number;
  /** The highest version that was told. */
  told: number;
  timer: NodeJS.Timeout | null;
}

/** @param everyMs shortest time between two words about one board */
export function createBoardChanges({
  pubsub,
  everyMs,
  log,
}: {
  pubsub: Pick<PubSub, "publish">;
  everyMs: number;
  log: Logger;
}): BoardChanges {
  const boards = new Map<number, Pending>();

  const tell = (pending: Pending): void => {
    const { board, version } = pending;
    pending.told = version;
    pending.timer = setTimeout(() => rest(pending), everyMs);
    for (const period of board.periods) {
      const id = boardTopicId(board.slug, period);
      pubsub
        .publish({ kind: "leaderboardChanged", id }, { id, version, seen: 0 })
        .catch((error: Error) => log.debug({ err: error.message, board: board.slug }, "a change of a leaderboard was not told"));
    }
  };
  const rest = (pending: Pending): void => {
    pending.timer = null;
    if (pending.version > pending.told) tell(pending);
    else boards.delete(pending.board.id);
  };

  return {
    changed(board, version) {
      const pending = boards.get(board.id) ?? { board, version, told: -1, timer: null };
      boards.set(board.id, pending);
      pending.version = Math.max(pending.version, version);
      if (!pending.timer) tell(pending);
    },
    close() {
      for (const { timer } of boards.values()) if (timer) clearTimeout(timer);
      boards.clear();
    },
  };
}
