/** Leaderboards. */
import { SECOND } from "../domain/time/time.js";
import { definePart } from "./part.js";
import { count } from "./values.js";

export const leaderboardConfig = definePart(
  {
    BOARD_UPKEEP_MS: count(2 * SECOND, 10).describe(
      "how often a worker looks for leaderboards that lack something, and for periods to archive",
    ),
  },
  (env) => ({ upkeepMs: env.BOARD_UPKEEP_MS }),
);
