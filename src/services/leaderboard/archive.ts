/**
 * Finished periods leave Redis for the archive. A period is closed first, so that no later score
 * can fall into it; then its entries are written from the ledger, read back, and compared with what
 * Redis holds: one checksum over all of them in order, ranks included. Only what is proven is
 * sealed, and only then do the keys go. Everything here can be repeated.
 */
import { createHash } from "node:crypto";
import type { Logger } from "pino";
import type { Database, Tx } from "../../db/client/database.js";
import type { FinishedPeriod, ScoreArchive } from "../../db/leaderboard/archive.js";
import type { BoardTable } from "../../db/leaderboard/leaderboards.js";
import type { ScoreLedger } from "../../db/leaderboard/ledger.js";
import {
  type BoardRecord,
  isArchivable,
  type RankedRow,
  rankRows,
} from "../../domain/leaderboard/leaderboard.js";
import { NOT_LOADED, type NotLoaded } from "../../redis/client/memory-fence.js";
import type { BoardStore } from "../../redis/leaderboard/leaderboard.js";
import type { BuildOf } from "../../redis/leaderboard/link.js";
import { mostTelling } from "../failures.js";
import type { Calendars } from "./calendars.js";
import type { BoardKeeper } from "./rebuild.js";

/** Archives finished periods. */
export interface BoardArchiver {
  /** Archives every finished period of a board. Resolves to how many there were. */
  archive(board: BoardRecord): Promise<number>;
}

/** What archiving takes. */
export interface BoardArchiveParts {
  readonly database: Database;
  readonly boards: BoardTable;
  readonly ledger: ScoreLedger;
  readonly archive: ScoreArchive;
  readonly store: BoardStore;
  readonly keeper: Pick<BoardKeeper, "on" | "mend">;
  readonly calendars: Calendars;
  readonly log: Logger;
}

/** Entries read at once while they are compared. */
const CHUNK = 1_000;

export function createBoardArchiver(parts: BoardArchiveParts): BoardArchiver {
  const { database, boards, ledger, archive, store, calendars } = parts;

  /** Lets nothing more into what is finished; resolves to when each kind of period now began. */
  const close = (board: BoardRecord) =>
    database.transaction(async (tx) => {
      const [head] = await ledger.lock(tx, [board.id]);
      const windows = calendars.windowsAt(board, head?.nowMs ?? 0);
      const starts = Object.values(windows).map(({ startMs }) => startMs);
      await ledger.closeBefore(tx, board.id, Math.max(...starts));
      return windows;
    });

  /**
   * The next finished period that somebody has a score in; null when there is none before `toMs`.
   */
  const next = async (
    board: BoardRecord,
    { period, fromMs, toMs }: { period: FinishedPeriod["period"]; fromMs: number; toMs: number },
  ) => {
    const firstMs = await archive.firstBetween(board.id, fromMs, toMs);
    return firstMs === null
      ? null
      : { board, period, window: calendars.windowAt(board, period, firstMs) };
  };

  return {
    async archive(board) {
      let count = 0;
      const failures: unknown[] = [];
      const windows = await close(board);
      // A kind of period that fails keeps no other from being archived.
      for (const period of board.periods.filter(isArchivable)) {
        try {
          count += await archiveKind(board, period, windows[period]?.startMs ?? 0);
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw mostTelling(failures);
      return count;
    },
  };

  async function archiveKind(
    board: BoardRecord,
    period: FinishedPeriod["period"],
    toMs: number,
  ): Promise<number> {
    let [count, fromMs] = [0, board.archivedMs[period] ?? 0];
    if (fromMs >= toMs) return 0;
    for (
      let finished = await next(board, { period, fromMs, toMs });
      finished;
      finished = await next(board, { period, fromMs, toMs })
    ) {
      await archiveOne(parts, board, finished);
      fromMs = finished.window.endMs;
      count += 1;
    }
    await boards.noteArchived(database, board.id, period, toMs);
    await dropFinished(board, period, toMs);
    return count;
  }

  async function dropFinished(
    board: BoardRecord,
    period: FinishedPeriod["period"],
    toMs: number,
  ): Promise<void> {
    for (const built of await store.built(board.id)) {
      if (built.period !== period || built.startMs >= toMs) continue;
      await store.drop(board.id, built, calendars.windowAt(board, period, built.startMs).endMs);
    }
  }
}

async function archiveOne(
  parts: BoardArchiveParts,
  board: BoardRecord,
  finished: FinishedPeriod,
): Promise<void> {
  const { database, boards, archive, keeper, log } = parts;
  await keeper.mend(board);
  // Looked at before the transaction: on the embedded database nothing else may run inside one.
  const inRedis = await keeper.on(board, (build) => sumOfRedis(parts, build, finished));
  const sum = await database.transaction(
    async (tx) => {
      const total = await archive.write(tx, finished);
      const written = await sumOfArchive(parts, tx, finished);
      const expected = inRedis ?? {
        total: await archive.countOwners(tx, finished),
        checksum: written.checksum,
      };
      if (
        written.total !== total ||
        written.total !== expected.total ||
        written.checksum !== expected.checksum
      ) {
        throw new Error(
          `The archive of ${board.slug} (${finished.period}) does not equal the board: ` +
            `${written.total}, ${expected.total} entries.`,
        );
      }
      await archive.seal(tx, finished, written);
      await boards.noteArchived(tx, board.id, finished.period, finished.window.endMs);
      return written;
    },
    { patient: true },
  );
  log.info(
    { board: board.slug, period: finished.period, ...sum, comparedWithRedis: inRedis !== null },
    "a finished period was archived",
  );
}

/** What is compared: the number of entries, and a digest of all of them in order. */
interface Sum {
  readonly total: number;
  readonly checksum: string;
}

/** Null where Redis was built after the period had ended, and so does not hold it. */
async function sumOfRedis(
  { store }: BoardArchiveParts,
  build: BuildOf,
  { period, window }: FinishedPeriod,
): Promise<Sum | null | NotLoaded> {
  const sum = new Summing();
  for (;;) {
    const run = { from: "place", place: sum.total, count: CHUNK } as const;
    const read = await store.read(build, { period, window, present: false, run });
    if (read === "archived") return null;
    if (read === NOT_LOADED || "nowMs" in read) return NOT_LOADED;
    sum.add(rankRows(build.board.tieRule, read, read.rows));
    if (read.rows.length < CHUNK) return sum.end();
  }
}

async function sumOfArchive(
  { archive }: BoardArchiveParts,
  tx: Tx,
  finished: FinishedPeriod,
): Promise<Sum> {
  const sum = new Summing();
  for (;;) {
    const rows = await archive.rows(tx, finished, { place: sum.total }, CHUNK);
    sum.add(rows);
    if (rows.length < CHUNK) return sum.end();
  }
}

class Summing {
  private readonly hash = createHash("sha256");
  total = 0;

  add(rows: readonly RankedRow[]): void {
    for (const { owner, score, rank, better, reached, metadata, submittedMs } of rows) {
      this.total += 1;
      const row = [this.total, rank, better, owner, score, reached, submittedMs, metadata];
      this.hash.update(`${JSON.stringify(row)}\n`);
    }
  }

  end(): Sum {
    return { total: this.total, checksum: this.hash.digest("hex") };
  }
}
