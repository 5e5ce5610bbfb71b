/** Leaderboards, and the two that the shop feeds itself. */
import { leaderboardConfig } from "../config/leaderboard.js";
import { createUserTable } from "../db/account/users.js";
import { createProductTable } from "../db/catalogue/products.js";
import { createBoardTable } from "../db/leaderboard/leaderboards.js";
import { createScoreLedger } from "../db/leaderboard/ledger.js";
import { SECOND } from "../domain/time/time.js";
import { createBoardStore } from "../redis/leaderboard/leaderboard.js";
import { LeaderboardMutations } from "../resolvers/leaderboard/change.js";
import { boardsExist, LeaderboardSubscriptions } from "../resolvers/leaderboard/changed.js";
import {
  LeaderboardConnectionResolver,
  LeaderboardResolver,
} from "../resolvers/leaderboard/leaderboard.js";
import { countBehind } from "../services/leaderboard/behind.js";
import type { ScoreTelemetry } from "../services/leaderboard/commits.js";
import { createBoards } from "../services/leaderboard/composition.js";
import { createScoreKind } from "../services/leaderboard/outbox-kind.js";
import type { Metrics } from "../telemetry/metrics.js";
import type { GaugeSource } from "../telemetry/metrics-sources.js";
import { type Infrastructure, SCRAPE_DEADLINE_MS } from "./infrastructure.js";
import { defineSubject, type OpenOptions } from "./module.js";

/**
 * Longest wait for a leaderboard. It is shorter than the
 * connection's command timeout. That timeout takes a busy
 * process for a late reply.
 */
const LEADERBOARD_DEADLINE_MS = 0.9 * SECOND;

export const leaderboard = defineSubject({
  name: "leaderboard",
  config: leaderboardConfig,
  resolvers: [
    LeaderboardResolver,
    LeaderboardConnectionResolver,
    LeaderboardMutations,
    LeaderboardSubscriptions,
  ],
  open(options) {
    const boards = openBoards(options);
    const { leaderboards, scores, shopBoards, upkeep } = boards;
    return {
      topics: ["leaderboardChanged"],
      outbox: [createScoreKind(shopBoards.record)],
      gauges: [behindGauges(options.infrastructure)],
      jobs: () => [
        {
          name: "leaderboards",
          everyMs: options.settings.upkeepMs,
          firstMs: 0,
          work: () => upkeep.run(),
        },
      ],
      async serve() {
        await shopBoards.provide();
        return {
          services: { leaderboards },
          admission: boardsExist(leaderboards),
          resolvers: [
            new LeaderboardResolver(leaderboards),
            new LeaderboardConnectionResolver(leaderboards),
            new LeaderboardMutations(leaderboards, scores),
            new LeaderboardSubscriptions(leaderboards),
          ],
        };
      },
    };
  },
});

function openBoards({ infrastructure, config, log, disposer }: OpenOptions) {
  const { database, callers, keys, pubsub, clock, metrics } = infrastructure;
  const caller = callers.of("leaderboard", {
    deadlineMs: LEADERBOARD_DEADLINE_MS,
    degraded: { part: "leaderboards", instead: "leaderboards are refused" },
  });
  const labels = { users: createUserTable(database), products: createProductTable(database) };
  const boards = createBoards({
    database,
    store: createBoardStore(caller, keys),
    pubsub,
    clock,
    labels,
    everyMs: config.live.conflationMs,
    telemetry: scoreMetrics(metrics),
    log,
  });
  disposer.add(() => boards.close());
  return boards;
}

function scoreMetrics(metrics: Metrics): ScoreTelemetry {
  const committed = metrics.counter({
    name: "souk_scores_total",
    help: "Scores committed to the ledger.",
  });
  const commits = metrics.histogram({
    name: "souk_score_commit_seconds",
    help: "Transactions that commit scores together.",
  });
  return {
    scores(count, durationMs) {
      committed({}, count);
      commits({}, durationMs);
    },
  };
}

/** A shorter deadline: a scrape leaves a late number out. */
function behindGauges(infrastructure: Infrastructure): GaugeSource {
  const { database, callers, keys } = infrastructure;
  const caller = callers.of("leaderboard", { deadlineMs: SCRAPE_DEADLINE_MS });
  const sources = {
    boards: createBoardTable(database),
    ledger: createScoreLedger(database),
    store: createBoardStore(caller, keys),
  };
  return {
    helps: {
      souk_boards_behind: "Leaderboards in Redis that lack rows of their ledger.",
      souk_boards_unapplied_scores: "Rows that they lack.",
    },
    async read() {
      const { behind, sequences } = await countBehind(sources);
      return { souk_boards_behind: behind, souk_boards_unapplied_scores: sequences };
    },
  };
}
