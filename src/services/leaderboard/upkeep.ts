/**
 * Keeps boards up: applies rows that are in the ledger and not in Redis, because a process died in
 * between; publishes that periods have ended, and archives them. Any number of workers may do this;
 * one at a time archives.
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
import type { ChangePublisher } from "./change-publisher.js";
import type { BoardRebuild } from "./rebuild.js";

export interface BoardUpkeep {
  /**
   * Checks every board once. A board that fails is logged and retried by a later run. Rejects at
   * the end while one fails. Ends early where a server is away: the other boards would wait for it
   * one after the other.
   */
  run(): Promise<void>;
}

export interface BoardUpkeepDeps {
  readonly database: Pick<Database, "exclusively">;
  readonly boards: Pick<BoardTable, "all">;
  readonly ledger: Pick<ScoreLedger, "heads">;
  readonly rebuild: Pick<BoardRebuild, "catchUp">;
  readonly archiver: BoardArchiver;
  readonly changes: Pick<ChangePublisher, "publish">;
  readonly calendars: Calendars;
  readonly log: Logger;
}

const RETRY: Backoff = { firstMs: SECOND, longestMs: MINUTE };
/** A board that fails as often needs an operator. */
const FAILURES_TO_ALARM = 3;
/** So many failures of a server in a row mean that it is away; fewer may be slow boards. */
const FAILURES_TO_END = 3;

export function createBoardUpkeep({
  database,
  boards,
  ledger,
  rebuild,
  archiver,
  changes,
  calendars,
  log,
}: BoardUpkeepDeps): BoardUpkeep {
  /** The last sequence that each board has in Redis. */
  const caughtUp = new Map<number, number>();
  const backoff = createKeyedBackoff<number>(RETRY);
  /** Boards whose last check failed. */
  const failing = new Map<number, Error>();

  const isDue = (board: BoardRecord, nowMs: number): boolean =>
    board.periods.some(
      (period) =>
        isArchivable(period) &&
        (board.archivedMs[period] ?? 0) < calendars.windowAt(board, period, nowMs).startMs,
    );

  const check = async (board: BoardRecord, { sequence, nowMs }: LedgerHead): Promise<void> => {
    if (caughtUp.get(board.id) !== sequence) {
      const applied = await rebuild.catchUp(board);
      // The process that committed these scores died before it published them.
      changes.publish(board, applied);
      caughtUp.set(board.id, applied);
    }
    if (!isDue(board, nowMs)) return;
    changes.publish(board, sequence);
    await database.exclusively(LOCKS.boards, () => archiver.archive(board));
  };

  /** A board that goes on failing is checked less often; others as usual. */
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
        await check(board, head).then(
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
