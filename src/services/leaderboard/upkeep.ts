/**
 * Keeps boards up. Applies ledger rows that Redis
 * lacks because a process died in between. Publishes
 * ends of periods, and archives them. Any number of
 * workers may do this; one at a time archives.
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
   * Checks every board once. A board that fails is logged and
   * retried by a later run. Rejects at the end while one
   * fails. Ends early where a server is away: the other boards
   * would wait for it one after the other.
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

const UPKEEP_RETRY: Backoff = { firstMs: SECOND, longestMs: MINUTE };
/** A board that fails as often needs an operator. */
const FAILURES_TO_ALARM = 3;
/** Failures in a row after which a server is away. */
const MAX_FAILURES = 3;

export function createBoardUpkeep(deps: BoardUpkeepDeps): BoardUpkeep {
  const { database, boards, ledger, rebuild, archiver, changes, log } = deps;
  /** The last sequence that each board has in Redis. */
  const caughtUp = new Map<number, number>();
  const failing = new FailingBoards(log);

  const check = async (board: BoardRecord, { sequence, nowMs }: LedgerHead): Promise<void> => {
    if (caughtUp.get(board.id) !== sequence) {
      const applied = await rebuild.catchUp(board);
      // The process that committed these scores died before
      // it published them.
      changes.publish(board, applied);
      caughtUp.set(board.id, applied);
    }
    if (!isArchiveDue(deps, board, nowMs)) return;
    changes.publish(board, sequence);
    await database.exclusively(LOCKS.boards, () => archiver.archive(board));
  };

  return {
    async run() {
      const all = new Map((await boards.all()).map((board) => [board.id, board]));
      failing.beginRun();
      for (const head of await ledger.heads([...all.keys()])) {
        const board = all.get(head.boardId);
        if (board) await failing.attempt(board, () => check(board, head));
        if (failing.isServerAway) break;
      }
      failing.throwFirst();
    },
  };
}

/** Whether an ended period is not archived. */
const isArchiveDue = (
  { calendars }: Pick<BoardUpkeepDeps, "calendars">,
  board: BoardRecord,
  nowMs: number,
): boolean =>
  board.periods.some(
    (period) =>
      isArchivable(period) &&
      (board.archivedMs[period] ?? 0) < calendars.windowAt(board, period, nowMs).startMs,
  );

/** Boards whose last check failed, checked less and less often. */
class FailingBoards {
  private readonly backoff = createKeyedBackoff<number>(UPKEEP_RETRY);
  private readonly errors = new Map<number, Error>();
  /** Failures of a server in a row. */
  private away = 0;

  constructor(private readonly log: Logger) {}

  get isServerAway(): boolean {
    return this.away >= MAX_FAILURES;
  }

  beginRun(): void {
    this.away = 0;
  }

  /** Checks a due board, and remembers failures. */
  async attempt(board: BoardRecord, check: () => Promise<void>): Promise<void> {
    if (!this.backoff.isDue(board.id)) return;
    try {
      await check();
      this.backoff.succeeded(board.id);
      this.errors.delete(board.id);
      this.away = 0;
    } catch (error) {
      this.away = concernsAll(error) ? this.away + 1 : 0;
      this.fail(board, error as Error);
    }
  }

  throwFirst(): void {
    const [cause] = this.errors.values();
    if (cause) throw new Error(`${this.errors.size} leaderboards need another look`, { cause });
  }

  private fail({ id, slug }: BoardRecord, error: Error): void {
    const failures = this.backoff.failed(id);
    this.errors.set(id, error);
    const level = failures >= FAILURES_TO_ALARM && !concernsAll(error) ? "error" : "warn";
    this.log[level](
      { err: wordsOf(error), board: slug, failures },
      "a leaderboard needs another look",
    );
  }
}
