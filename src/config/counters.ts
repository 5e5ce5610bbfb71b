/** Counters of products. */
import { DAY, MINUTE, SECOND } from "../domain/time/time.js";
import { definePart } from "./part.js";
import { count } from "./values.js";

export const countersConfig = definePart(
  {
    COUNTERS_FLUSH_MS: count(5 * SECOND, 10).describe(
      "how often what was counted is written to PostgreSQL: the most that a lost Redis costs",
    ),
    COUNTERS_VIEW_MS: count(30 * MINUTE, 1).describe(
      "how long one viewer's views of a product count once",
    ),
    COUNTERS_OPERATION_MS: count(DAY, 1).describe(
      "how long the operation id of a view or a share is remembered, among the latest of its " +
        "product",
    ),
    POPULARITY_MS: count(MINUTE, 10).describe(
      "how often the order of POPULAR lists follows the counters",
    ),
  },
  (env) => ({
    flushMs: env.COUNTERS_FLUSH_MS,
    viewMs: env.COUNTERS_VIEW_MS,
    operationMs: env.COUNTERS_OPERATION_MS,
    popularityMs: env.POPULARITY_MS,
  }),
);

export type CounterSettings = ReturnType<typeof countersConfig.settings>;
