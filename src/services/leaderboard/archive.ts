/**
 * Archives finished periods, and drops them from
 * Redis. A period is closed first, so that no later
 * score falls into it. Then its entries are written
 * from the ledger and read back. One checksum over
 * all, in order, compares them with Redis. Only what
 * is equal is sealed, and only then do the keys go.
 * Every step can be repeated.
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
import type { BoardRebuild } from "./rebuild.js";

export interface BoardArchiver {
  /** Archives every finished period. Resolves to their number. */
  archive(board: BoardRecord): Promise<number>;
}

export interface BoardArchiveDeps {
  readonly database: Database;
  readonly boards: BoardTable;
  readonly ledger: ScoreLedger;
  readonly archive: ScoreArchive;
  readonly store: BoardStore;
  readonly rebuild: Pick<BoardRebuild, "use" | "catchUp">;
  readonly calendars: Calendars;
  readonly log: Logger;
}

/** Entries read at once for the checksum. */
const CHUNK = 1_000;

type ArchivablePeriod = FinishedPeriod["period"];

export function createBoardArchiver(deps: BoardArchiveDeps): BoardArchiver {
  return {
    async archive(board) {
      let count = 0;
      const failures: unknown[] = [];
      const windows = await closePeriod(deps, board);
      // A kind of period that fails keeps no other from
      // being archived.
      for (const period of board.periods.filter(isArchivable)) {
        try {
          count += await archiveKind(deps, board, { period, toMs: windows[period]?.startMs ?? 0 });
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw mostTelling(failures);
      return count;
    },
  };
}

/** Closes finished periods. Resolves to the present ones. */
const closePeriod = ({ database, ledger, calendars }: BoardArchiveDeps, board: BoardRecord) =>
  database.transaction(async (tx) => {
    const [head] = await ledger.lock(tx, [board.id]);
    const windows = calendars.windowsAt(board, head?.nowMs ?? 0);
    const starts = Object.values(windows).map(({ startMs }) => startMs);
    await ledger.closeBefore(tx, board.id, Math.max(...starts));
    return windows;
  });

/** Periods of one kind that end before `toMs`. */
interface FinishedKind {
  readonly period: ArchivablePeriod;
  readonly toMs: number;
}

async function archiveKind(
  deps: BoardArchiveDeps,
  board: BoardRecord,
  { period, toMs }: FinishedKind,
): Promise<number> {
  const { database, boards, archive, calendars } = deps;
  let [count, fromMs] = [0, board.archivedMs[period] ?? 0];
  if (fromMs >= toMs) return 0;
  const nextScoreMs = () => archive.firstBetween(board.id, fromMs, toMs);
  for (let atMs = await nextScoreMs(); atMs !== null; atMs = await nextScoreMs()) {
    const finished = { board, period, window: calendars.windowAt(board, period, atMs) };
    await archiveOne(deps, board, finished);
    fromMs = finished.window.endMs;
    count += 1;
  }
  await boards.noteArchived(database, board.id, period, toMs);
  await dropFinished(deps, board, { period, toMs });
  return count;
}

async function dropFinished(
  { store, calendars }: BoardArchiveDeps,
  board: BoardRecord,
  { period, toMs }: FinishedKind,
): Promise<void> {
  for (const built of await store.built(board.id)) {
    if (built.period !== period || built.startMs >= toMs) continue;
    await store.drop(board.id, built, calendars.windowAt(board, period, built.startMs).endMs);
  }
}

async function archiveOne(
  deps: BoardArchiveDeps,
  board: BoardRecord,
  finished: FinishedPeriod,
): Promise<void> {
  const { database, boards, archive, rebuild, log } = deps;
  await rebuild.catchUp(board);
  // Before the transaction: on the embedded database
  // nothing else may run inside one.
  const inRedis = await rebuild.use(board, (build) => sumOfRedis(deps, build, finished));
  const sum = await database.transaction(
    async (tx) => {
      const total = await archive.write(tx, finished);
      const written = await sumOfArchive(deps, tx, finished);
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

/** The number of entries, and a digest of all of them in order. */
interface Sum {
  readonly total: number;
  readonly checksum: string;
}

/** Null: Redis was built after the period, and lacks it. */
async function sumOfRedis(
  { store }: BoardArchiveDeps,
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
  { archive }: BoardArchiveDeps,
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
