/** Builds the services of leaderboards. */
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
import { createChangePublisher } from "./change-publisher.js";
import { createScoreCommits, type ScoreTelemetry } from "./commits.js";
import { createLeaderboards } from "./leaderboards.js";
import type { LabelSources } from "./owner-labels.js";
import { ScorePipeline } from "./pipeline.js";
import { createBoardReads } from "./reads.js";
import { createBoardRebuild } from "./rebuild.js";
import { createShopBoards } from "./shop-feed.js";
import { createScores } from "./submission.js";
import { createBoardUpkeep } from "./upkeep.js";

export interface BoardsDeps {
  readonly database: Database;
  readonly store: BoardStore;
  readonly pubsub: Pick<PubSub, "publish">;
  readonly clock: Pick<RedisClock, "nowMs" | "observe">;
  readonly labels: LabelSources;
  /** Between two publications of one board, and two shared reads. */
  readonly everyMs: number;
  readonly telemetry: ScoreTelemetry;
  readonly log: Logger;
  /** Default: the ledger of the database. */
  readonly ledger?: ScoreLedger;
  /** Longest wait for a board being built. Default half a second. */
  readonly waitMs?: number;
}

/** A longer wait counts as an outage. */
const WAIT_MS = SECOND / 2;

export function createBoards(deps: BoardsDeps) {
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
  } = deps;
  const calendars = createCalendars();
  const boards = createBoardTable(database);
  const archive = createScoreArchive(database);
  const rebuild = createBoardRebuild({ database, ledger, store, calendars, waitMs, log });
  const changes = createChangePublisher({ pubsub, everyMs, log });
  const commit = createScoreCommits({ database, ledger, calendars, telemetry });
  const pipeline = new ScorePipeline({ commit, store, rebuild, changes, calendars });
  const reads = createBoardReads({ database, boards, archive, store, rebuild, calendars, clock });
  const leaderboards = createLeaderboards({ boards, reads, calendars, clock, labels, everyMs });
  const archiver = createBoardArchiver({
    database,
    boards,
    ledger,
    archive,
    store,
    rebuild,
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
      rebuild,
      archiver,
      changes,
      calendars,
      log,
    }),
    rebuild,
    pipeline,
    close: () => changes.close(),
  };
}
