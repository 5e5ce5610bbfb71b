/** Puts the services of leaderboards together, from the ledger to what clients ask. */
import type { Logger } from "pino";
import type { Database } from "../../db/client/database.js";
import { createScoreArchive } from "../../db/leaderboard/archive.js";
import { createBoardTable } from "../../db/leaderboard/leaderboards.js";
import { createScoreLedger, type ScoreLedger } from "../../db/leaderboard/ledger.js";
import { SECOND } from "../../domain/time/time.js";
import type { RedisClock } from "../../redis/client/clock.js";
import type { BoardStore } from "../../redis/leaderboard/leaderboard.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import { createBoardArchiver } from "./archive.js";
import { createCalendars } from "./calendars.js";
import { createBoardChanges } from "./changes.js";
import { createScoreCommits, type ScoreTelemetry } from "./commits.js";
import { createLeaderboards } from "./leaderboards.js";
import type { LabelSources } from "./owner-labels.js";
import { createScorePipeline } from "./pipeline.js";
import { createBoardReads } from "./reads.js";
import { createBoardKeeper } from "./rebuild.js";
import { createScores } from "./scores.js";
import { createShopBoards } from "./shop-boards.js";
import { createBoardUpkeep } from "./upkeep.js";

/** What leaderboards stand on. */
export interface BoardsParts {
  readonly database: Database;
  readonly store: BoardStore;
  readonly pubsub: Pick<PubSub, "publish">;
  readonly clock: Pick<RedisClock, "nowMs" | "hear">;
  readonly labels: LabelSources;
  /**
   * Shortest time between two publications about one board, and between two reads for those who
   * watch the same.
   */
  readonly everyMs: number;
  readonly telemetry: ScoreTelemetry;
  readonly log: Logger;
  /** Default: the ledger of the database. */
  readonly ledger?: ScoreLedger;
  /** Longest wait for a board that is being built. Default half a second. */
  readonly waitMs?: number;
}

/** Half a second of waiting is no outage yet; longer, and the caller had better be told. */
const WAIT_MS = SECOND / 2;

export function createBoards(parts: BoardsParts) {
  const {
    database,
    store,
    pubsub,
    clock,
    labels,
    everyMs,
    telemetry,
    log,
    waitMs = WAIT_MS,
    ledger = createScoreLedger(database),
  } = parts;
  const calendars = createCalendars();
  const boards = createBoardTable(database);
  const archive = createScoreArchive(database);
  const keeper = createBoardKeeper({ database, ledger, store, calendars, waitMs, log });
  const changes = createBoardChanges({ pubsub, everyMs, log });
  const commit = createScoreCommits({ database, ledger, calendars, telemetry });
  const pipeline = createScorePipeline({ commit, store, keeper, changes, calendars });
  const reads = createBoardReads({ database, boards, archive, store, keeper, calendars, clock });
  const leaderboards = createLeaderboards({ boards, reads, calendars, clock, labels, everyMs });
  const archiver = createBoardArchiver({
    database,
    boards,
    ledger,
    archive,
    store,
    keeper,
    calendars,
    log,
  });
  return {
    leaderboards,
    scores: createScores({ pipeline, bySlug: leaderboards.bySlug }),
    shopBoards: createShopBoards({ leaderboards, pipeline }),
    upkeep: createBoardUpkeep({
      database,
      boards,
      ledger,
      keeper,
      archiver,
      changes,
      calendars,
      log,
    }),
    keeper,
    pipeline,
    close: () => changes.close(),
  };
}
