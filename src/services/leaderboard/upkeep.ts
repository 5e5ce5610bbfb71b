/**
 * What boards need besides being used: rows that are in the ledger and not in Redis, because
 * somebody died in between, are put there; periods that have ended are told to those who watch, and
 * archived. Any number of workers may do this; archiving is one's at a time.
 */
import type { Logger } from "pino";
import type { Database } from "../../db/client/database.js";
import { LOCKS } from "../../db/client/locks.js";
import type { BoardTable } from "../../db/leaderboard/leaderboards.js";
import type { LedgerHead, ScoreLedger } from "../../db/leaderboard/ledger.js";
import { type BoardRecord, isArchivable } from "../../domain/leaderboard/leaderboard.js";
import type { Backoff } from "../../domain/time/backoff.js";
import { MINUTE, SECOND } from "../../domain/time/time.js";
import { concernsAll } from "../bisect.js";
import { wordsOf } from "../failures.js";
import { createKeyedBackoff } from "../keyed-backoff.js";
import type { BoardArchiver } from "./archive.js";
import type { Calendars } from "./calendars.js";
import type { BoardChanges } from "./changes.js";
import type { BoardKeeper } from "./rebuild.js";

/** Looks after boards. */
export interface BoardUpkeep {
  /**
   * Looks once at every board. A board that fails is logged and tried again later; rejects, at the
   * end, while one does. Where a server is away it ends early: the boards that are left would wait
   * for it one after the other.
   */
  run(): Promise<void>;
}

/** What it takes. */
export interface BoardUpkeepParts {
  readonly database: Pick<Database, "exclusively">;
  readonly boards: Pick<BoardTable, "all">;
  readonly ledger: Pick<ScoreLedger, "heads">;
  readonly keeper: Pick<BoardKeeper, "mend">;
  readonly archiver: BoardArchiver;
  readonly changes: Pick<BoardChanges, "changed">;
  readonly calendars: Calendars;
  readonly log: Logger;
}

const RETRY: Backoff = { firstMs: SECOND, longestMs: MINUTE };
/** A board that fails as often needs a person. */
const FAILURES_TO_ALARM = 3;
/**
 * So many boards that fail in a row by a server say that the server is away; fewer may be slow by
 * themselves.
 */
const FAILURES_TO_END = 3;

export function createBoardUpkeep({
  database,
  boards,
  ledger,
  keeper,
  archiver,
  changes,
  calendars,
  log,
}: BoardUpkeepParts): BoardUpkeep {
  /** The last sequence that each board was seen to have in Redis. */
  const mended = new Map<number, number>();
  const backoff = createKeyedBackoff<number>(RETRY);
  /** Boards whose last look failed. */
  const failing = new Map<number, Error>();

  const isDue = (board: BoardRecord, nowMs: number): boolean =>
    board.periods.some(
      (period) =>
        isArchivable(period) &&
        (board.archivedMs[period] ?? 0) < calendars.windowAt(board, period, nowMs).startMs,
    );

  const lookAt = async (board: BoardRecord, { sequence, nowMs }: LedgerHead): Promise<void> => {
    if (mended.get(board.id) !== sequence) {
      const applied = await keeper.mend(board);
      // Scores that are applied here were not announced: their process failed, or died, before it
      // could.
      changes.changed(board, applied);
      mended.set(board.id, applied);
    }
    if (!isDue(board, nowMs)) return;
    changes.changed(board, sequence);
    await database.exclusively(LOCKS.boards, () => archiver.archive(board));
  };

  /**
   * A board that goes on failing is looked at less and less often; all others are looked at as
   * ever.
   */
  const postpone = (board: BoardRecord, error: Error): void => {
    const failures = backoff.failed(board.id);
    failing.set(board.id, error);
    const level = failures >= FAILURES_TO_ALARM && !concernsAll(error) ? "error" : "warn";
    log[level](
      { err: wordsOf(error), board: board.slug, failures },
      "a leaderboard needs another look",
    );
  };

  return {
    async run() {
      const all = new Map((await boards.all()).map((board) => [board.id, board]));
      let away = 0;
      for (const head of await ledger.heads([...all.keys()])) {
        const board = all.get(head.boardId);
        if (!board || !backoff.isDue(board.id)) continue;
        await lookAt(board, head).then(
          () => {
            backoff.succeeded(board.id);
            failing.delete(board.id);
            away = 0;
          },
          (error: Error) => {
            away = concernsAll(error) ? away + 1 : 0;
            postpone(board, error);
          },
        );
        if (away >= FAILURES_TO_END) break;
      }
      const [cause] = failing.values();
      if (cause) throw new Error(`${failing.size} leaderboards need another look`, { cause });
    },
  };
}
