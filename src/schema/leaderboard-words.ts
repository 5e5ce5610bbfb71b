/** The enums of leaderboards. */
import type { ScoreOperator, SortOrder, TieRule } from "../domain/leaderboard/leaderboard.js";
import type { Period } from "../domain/leaderboard/periods.js";
import { declareEnum } from "./enums.js";

export const ScoreOperatorEnum = declareEnum<ScoreOperator>({
  name: "ScoreOperator",
  description: "Which score of an owner counts.",
  values: {
    BEST: "The best one; a worse one changes nothing.",
    LATEST: "The latest one.",
    SUM: "All of them added up, with a double's arithmetic: exact for whole numbers.",
  },
});

export const SortOrderEnum = declareEnum<SortOrder>({
  name: "SortOrder",
  description: "Which scores are good.",
  values: { DESC: "High ones.", ASC: "Low ones: times, strokes, prices." },
});

export const TieRuleEnum = declareEnum<TieRule>({
  name: "TieRule",
  description:
    "How equal scores are ranked. Whatever the rule, equals stand in the order in which they " +
    "reached the score.",
  values: {
    FIRST_TO_REACH: "1, 2, 3, 4: who reached the score first is ahead.",
    COMPETITION: "1, 2, 2, 4: equals share a rank, and the next one counts them all.",
    DENSE: "1, 2, 2, 3: equals share a rank, and the next one is one more.",
  },
});

export const PeriodEnum = declareEnum<Period>({
  name: "Period",
  description: "A period of a board, in the board's time zone.",
  values: {
    ALL_TIME: "Since there is the board.",
    DAY: "A calendar day.",
    WEEK: "A week that begins on Monday (ISO 8601).",
    MONTH: "A calendar month.",
  },
});
