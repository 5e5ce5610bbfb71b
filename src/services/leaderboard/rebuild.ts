/**
 * Makes boards in Redis servable. A missing board is
 * built from the ledger beside the served one. It takes
 * over in one step. After a restart, restored file or
 * failover it is brought up to date first. Callers wait
 * a moment meanwhile, then get SERVICE_UNAVAILABLE:
 * half a board is never served.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { Executor } from "../../db/client/database.js";
import type { LedgerHead, ScoreLedger } from "../../db/leaderboard/ledger.js";
import { SingleFlight } from "../../domain/concurrency/single-flight.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import type { BoardRecord } from "../../domain/leaderboard/leaderboard.js";
import { withDeadline } from "../../domain/time/deadline.js";
import { askLoaded, NOT_LOADED, type NotLoaded } from "../../redis/client/memory-fence.js";
import type { BoardStore, ServedBuild } from "../../redis/leaderboard/leaderboard.js";
import type { BuildOf } from "../../redis/leaderboard/link.js";
import type { Calendars } from "./calendars.js";
import { placeRows, toBatches } from "./standings.js";

/** Boards that may be served. */
export interface BoardRebuild {
  /**
   * Works on the build that is served. `work` answers
   * "not-loaded" where another one is served by now.
   * Throws ServiceUnavailable.
   */
  use<T>(board: BoardRecord, work: (build: BuildOf) => Promise<T | NotLoaded>): Promise<T>;
  /** Applies what the board lacks. Resolves to the last sequence. */
  catchUp(board: BoardRecord): Promise<number>;
}

export interface BoardRebuildDeps {
  readonly database: Executor;
  readonly ledger: ScoreLedger;
  readonly store: BoardStore;
  readonly calendars: Calendars;
  /** Longest wait for a board that is being built. */
  readonly waitMs: number;
  readonly log: Logger;
}

/** Rows or owners read from the ledger in one statement. */
const LEDGER_CHUNK = 1_000;
/** Time between two looks at a build of another process. */
const BUILDING_POLL_MS = 50;

export function createBoardRebuild(deps: BoardRebuildDeps): BoardRebuild {
  const { ledger, store, waitMs, log } = deps;
  const generations = new Map<number, string>();
  const preparing = new SingleFlight<string, number>();

  /** The generation to serve, built where there is none. */
  const prepare = (board: BoardRecord): Promise<string> =>
    preparing.run(board.id, async () => {
      try {
        return await makeServable(deps, board);
      } catch (error) {
        const err = (error as Error).message;
        log.warn({ err, board: board.slug }, "a leaderboard cannot be served");
        throw error;
      }
    });

  return {
    async use(board, work) {
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
    async catchUp(board) {
      const generation = await prepare(board);
      const head = await headOf(ledger, board);
      const served = await store.look(board.id);
      if (served?.generation === generation)
        await applyLedger(deps, { board, generation }, { from: served.applied, to: head.sequence });
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

async function makeServable(deps: BoardRebuildDeps, board: BoardRecord): Promise<string> {
  for (;;) {
    const served = await deps.store.look(board.id);
    if (served?.verified) return served.generation;
    const head = await headOf(deps.ledger, board);
    if (canCatchUp(served, head)) {
      const build = { board, generation: served.generation };
      await applyLedger(deps, build, { from: served.applied, to: head.sequence, mends: true });
      await deps.store.verify(build, head.sequence);
    } else if (!(await buildFromLedger(deps, board, head))) {
      await delay(BUILDING_POLL_MS);
    }
  }
}

/** A board ahead of its ledger belongs to one before a restore. */
const canCatchUp = (served: ServedBuild | null, head: LedgerHead): served is ServedBuild =>
  served !== null && served.applied <= head.sequence;

/** Applies rows `from` to `to` of the ledger. Idempotent. */
async function applyLedger(
  { database, ledger, store, calendars }: BoardRebuildDeps,
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

/** From each owner's last row; false: another process builds. */
async function buildFromLedger(
  deps: BoardRebuildDeps,
  board: BoardRecord,
  head: LedgerHead,
): Promise<boolean> {
  const { store, calendars, log } = deps;
  const builder = randomUUID();
  const build = await store.begin(board, builder);
  if (!build) return false;
  const startedAt = performance.now();
  const windows = calendars.windowsAt(board, head.nowMs);
  const owners = await loadOwners(deps, {
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

/** The number of owners; null when the lease was lost. */
async function loadOwners(
  { database, ledger, store }: BoardRebuildDeps,
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
