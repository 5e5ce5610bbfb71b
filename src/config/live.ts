/** Subscriptions, counters, carts, leaderboards and logs. */
import { DAY, MINUTE, SECOND } from "../domain/time/time.js";
import { count, type Parsed } from "./values.js";

export const liveVariables = {
  SLOW_SOCKET_MS: count(30 * SECOND, 100).describe(
    "longest that a WebSocket may lag behind its subscriptions before it is closed",
  ),
  CONFLATION_MS: count(100, 0).describe(
    "shortest time between two messages of one snapshot subscription",
  ),
  COUNTERS_FLUSH_MS: count(5 * SECOND, 10).describe(
    "how often what was counted is written to PostgreSQL: the most that a lost Redis costs",
  ),
  COUNTERS_VIEW_MS: count(30 * MINUTE, 1).describe(
    "how long one viewer's views of a product count once",
  ),
  COUNTERS_OPERATION_MS: count(DAY, 1).describe(
    "how long the operation id of a view or a share is remembered, among the latest of its product",
  ),
  POPULARITY_MS: count(MINUTE, 10).describe(
    "how often the order of POPULAR lists follows the counters",
  ),
  CART_TTL_MS: count(7 * DAY, SECOND).describe("how long a cart is kept since its last use"),
  BOARD_UPKEEP_MS: count(2 * SECOND, 10).describe(
    "how often a worker looks for leaderboards that lack something, and for periods to archive",
  ),
  LOG_TAIL_ENTRIES: count(256).describe(
    "entries of a log that Redis keeps; who was away for longer reads on in Postgres",
  ),
  LOG_TAIL_MS: count(DAY, SECOND).describe(
    "how long Redis keeps them, and a log without subscribers",
  ),
};

export const toLive = (env: Parsed<typeof liveVariables>) => ({
  live: { conflationMs: env.CONFLATION_MS, slowSocketMs: env.SLOW_SOCKET_MS },
  counters: {
    flushMs: env.COUNTERS_FLUSH_MS,
    viewMs: env.COUNTERS_VIEW_MS,
    operationMs: env.COUNTERS_OPERATION_MS,
    popularityMs: env.POPULARITY_MS,
  },
  carts: { ttlMs: env.CART_TTL_MS },
  boards: { upkeepMs: env.BOARD_UPKEEP_MS },
  logs: { entries: env.LOG_TAIL_ENTRIES, keepMs: env.LOG_TAIL_MS },
});
