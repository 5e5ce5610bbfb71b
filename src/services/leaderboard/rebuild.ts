/**
 * Boards in Redis that may be believed. A board that is not there is built from the ledger beside
 * the one that is served and takes over in one step; one that is on another server than before (a
 * restart, a restored file, a failover) is brought up to date first. Whoever asks meanwhile waits a
 * moment, and then gets SERVICE_UNAVAILABLE: nobody is ever served half a board.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Executor } from "../../db/client/database.js";
import type { LedgerHead, ScoreLedger } from "../../db/leaderboard/ledger.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import type { BoardRecord } from "../../domain/leaderboard/leaderboard.js";
import { withDeadline } from "../../domain/time/deadline.js";
import { askLoaded, NOT_LOADED, type NotLoaded } from "../../redis/client/memory-fence.js";
import type { BoardStore, ServedBuild } from "../../redis/leaderboard/leaderboard.js";
import type { BuildOf } from "../../redis/leaderboard/link.js";
import type { Calendars } from "./calendars.js";
import { placeRows, toBatches } from "./standings.js";

/** Keeps boards. */
export interface BoardKeeper {
  /**
   * Does something on the build that is served; it answers "not-loaded" where that is another
   * one by now. Throws ServiceUnavailable.
   */
  on<T>(board: BoardRecord, work: (build: BuildOf) => Promise<T | NotLoaded>): Promise<T>;
  /**
   * Puts on a board what its ledger holds and it lacks. Resolves to the last sequence of the ledger
   * when it began.
   */
  mend(board: BoardRecord): Promise<number>;
}

/** What keeping takes. */
export interface BoardKeeperParts {
  readonly database: Executor;
  readonly ledger: ScoreLedger;
  readonly store: BoardStore;
  readonly calendars: Calendars;
  /** Longest that somebody waits for a board that is being built. */
  readonly waitMs: number;
  readonly log: Logger;
}

/** Rows or owners read from the ledger in one statement. */
const LEDGER_CHUNK = 1_000;
/** How often it is looked whether somebody else has finished building. */
const BUILDING_POLL_MS = 50;

export function createBoardKeeper(parts: BoardKeeperParts): BoardKeeper {
  const { ledger, store, waitMs, log } = parts;
  const generations = new Map<number, string>();
  const preparing = new Map<number, Promise<string>>();

  /**
   * The generation that may be served, made so where there is none. One at a time for each board of
   * a process.
   */
  const prepare = (board: BoardRecord): Promise<string> => {
    const underWay = preparing.get(board.id);
    if (underWay) return underWay;
    const started = makeServable(parts, board).finally(() => preparing.delete(board.id));
    started.catch((error: Error) =>
      log.warn({ err: error.message, board: board.slug }, "a leaderboard cannot be served"),
    );
    preparing.set(board.id, started);
    return started;
  };

  return {
    async on(board, work) {
      const load = async (): Promise<string> => {
        const generation = await withDeadline(prepare(board), waitMs, beingBuilt);
        generations.set(board.id, generation);
        return generation;
      };
      const ask = async () => {
        const generation = generations.get(board.id) ?? (await load());
        const answer = await work({ board, generation });
        if (answer === NOT_LOADED) generations.delete(board.id);
        return answer;
      };
      return askLoaded(ask, load, { failure: beingRebuilt });
    },
    async mend(board) {
      const generation = await prepare(board);
      const head = await headOf(ledger, board);
      const served = await store.look(board.id);
      if (served?.generation === generation)
        await catchUp(parts, { board, generation }, { from: served.applied, to: head.sequence });
      return head.sequence;
    },
  };
}

const beingRebuilt = (): ServiceUnavailable =>
  new ServiceUnavailable("The leaderboard is being rebuilt. Try again in a moment.");

function beingBuilt(): never {
  throw new ServiceUnavailable("The leaderboard is being built. Try again in a moment.");
}

async function headOf(ledger: ScoreLedger, board: BoardRecord): Promise<LedgerHead> {
  const [head] = await ledger.heads([board.id]);
  if (!head) throw new Error("A leaderboard is gone: they must never be deleted.");
  return head;
}

async function makeServable(parts: BoardKeeperParts, board: BoardRecord): Promise<string> {
  for (;;) {
    const served = await parts.store.look(board.id);
    if (served?.trusted) return served.generation;
    const head = await headOf(parts.ledger, board);
    if (canBeMended(served, head)) {
      const build = { board, generation: served.generation };
      await catchUp(parts, build, { from: served.applied, to: head.sequence, mends: true });
      await parts.store.trust(build, head.sequence);
    } else if (!(await rebuild(parts, board, head))) {
      await delay(BUILDING_POLL_MS);
    }
  }
}

/**
 * A board that knows more than the ledger belongs to another ledger, for example to one that was
 * restored from a backup.
 */
const canBeMended = (served: ServedBuild | null, head: LedgerHead): served is ServedBuild =>
  served !== null && served.applied <= head.sequence;

/** Applies the rows of a stretch of the ledger. Rows that are there already change nothing. */
async function catchUp(
  { database, ledger, store, calendars }: BoardKeeperParts,
  build: BuildOf & { readonly board: BoardRecord },
  { from, to, mends = false }: { from: number; to: number; mends?: boolean },
): Promise<void> {
  for (let done = from; done < to; ) {
    const rows = await ledger.after(build.board.id, done, LEDGER_CHUNK);
    const placed = await placeRows(ledger, database, rows);
    for (const batch of toBatches(build.board, placed, { calendars, answerOf: () => "" })) {
      if ((await store.apply(build, { ...batch, mends })) === NOT_LOADED) return;
    }
    done = rows.at(-1)?.sequence ?? to;
  }
}

/**
 * Builds a board from the last row of each of its owners. False when somebody else does, or took
 * over.
 */
async function rebuild(
  parts: BoardKeeperParts,
  board: BoardRecord,
  head: LedgerHead,
): Promise<boolean> {
  const { store, calendars, log } = parts;
  const builder = randomUUID();
  const build = await store.begin(board, builder);
  if (!build) return false;
  const startedAt = performance.now();
  const windows = calendars.windowsAt(board, head.nowMs);
  const owners = await loadOwners(parts, {
    board,
    generation: build.generation,
    builder,
    windows,
    head,
  });
  if (owners === null) return false;
  const finished = {
    windows,
    applied: head.sequence,
    builtMs: head.nowMs,
    closedMs: board.archivedMs,
  };
  const served = await store.serve(build, builder, finished);
  if (served) await dropOthers(store, build);
  log.info(
    { board: board.slug, owners, ms: Math.round(performance.now() - startedAt), served },
    "a leaderboard was built from the ledger",
  );
  return served;
}

interface Building {
  readonly board: BoardRecord;
  readonly generation: string;
  readonly builder: string;
  readonly windows: ReturnType<Calendars["windowsAt"]>;
  readonly head: LedgerHead;
}

/** Resolves to how many owners there are; null when the right to build was lost. */
async function loadOwners(
  { database, ledger, store }: BoardKeeperParts,
  building: Building,
): Promise<number | null> {
  const { board, generation, builder, windows, head } = building;
  let count = 0;
  for (let after: string | null = ""; after !== null; ) {
    const page = await ledger.owners({
      boardId: board.id,
      after,
      upTo: head.sequence,
      limit: LEDGER_CHUNK,
    });
    const placed = await placeRows(ledger, database, page.rows);
    for (const period of board.periods) {
      const startMs = windows[period]?.startMs ?? 0;
      const rows = placed.flatMap(({ row, places }) => {
        const place = row.standings[period]?.startMs === startMs ? places[period] : undefined;
        return place ? [{ sequence: row.sequence, row: place }] : [];
      });
      if (!(await store.load({ board, generation }, builder, { period, startMs, rows })))
        return null;
    }
    count += page.rows.length;
    after = page.last;
  }
  return count;
}

async function dropOthers(store: BoardStore, { board, generation }: BuildOf): Promise<void> {
  const others = (await store.built(board.id)).filter((built) => built.generation !== generation);
  for (const built of others) await store.drop(board.id, built, null);
}
