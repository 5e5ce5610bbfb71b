/** Leaderboards, their entries and their arguments. */
import { GraphQLDateTime } from "graphql-scalars";
import { ArgsType, Field, Float, ID, Int, ObjectType } from "type-graphql";
import { atLeast, between, pageSizeRule } from "../domain/argument-rules.js";
import {
  BOARD_LIMITS,
  type BoardRecord,
  type ScoreOperator,
  type SortOrder,
  type TieRule,
} from "../domain/leaderboard/leaderboard.js";
import { PERIODS, type Period } from "../domain/leaderboard/periods.js";
import { PAGE_SIZE } from "../domain/page.js";
import { Checked } from "./argument-rule.js";
import { declareConnection } from "./connection.js";
import { PeriodEnum, ScoreOperatorEnum, SortOrderEnum, TieRuleEnum } from "./leaderboard-words.js";
import { Node } from "./node.js";
import { ListSize } from "./price.js";
import { Shared } from "./scope.js";

@ObjectType({
  description:
    "Owners in the order of their scores, in several periods at once. Anybody may read it.",
  implements: Node,
  simpleResolvers: true,
})
export class Leaderboard extends Node {
  @Field(() => String, {
    description: "Names the board in addresses and arguments; unique, and for good.",
  })
  @Shared("PUBLIC")
  slug!: string;

  @Field(() => String, { description: "Title as shown to everybody, in plain text." })
  @Shared("PUBLIC")
  title!: string;

  @Field(() => ScoreOperatorEnum, { description: "Which score of an owner counts." })
  @Shared("PUBLIC")
  operator!: ScoreOperator;

  @Field(() => SortOrderEnum, { description: "Whether high scores are good, or low ones." })
  @Shared("PUBLIC")
  order!: SortOrder;

  @Field(() => TieRuleEnum, { description: "How equal scores are ranked." })
  @Shared("PUBLIC")
  tieRule!: TieRule;

  @ListSize({ most: PERIODS.length })
  @Field(() => [PeriodEnum], {
    description: "The periods it is kept for. Any other is BAD_USER_INPUT.",
  })
  @Shared("PUBLIC")
  periods!: readonly Period[];

  @Field(() => String, {
    description: "The time zone in which its days begin, as the IANA database names it.",
  })
  @Shared("PUBLIC")
  timeZone!: string;

  /** For resolvers; not a field. */
  record!: BoardRecord;
}

@ObjectType({ description: "Somebody's place on a leaderboard.", simpleResolvers: true })
export class LeaderboardEntry {
  @Field(() => Int, { description: "Rank by the board's tie rule; 1 is the best." })
  @Shared("PUBLIC")
  rank!: number;

  @Field(() => Float, {
    description: "The score that counts; whole numbers are exact up to ±2^53.",
  })
  @Shared("PUBLIC")
  score!: number;

  @Field(() => ID, { description: "Whose place it is: any id, of this shop or not." })
  @Shared("PUBLIC")
  owner!: string;

  @Field(() => String, {
    nullable: true,
    description:
      "What came with the score that counts, unchanged; null when nothing did. It is the " +
      "client's: escape it in a page.",
  })
  @Shared("PUBLIC")
  metadata!: string | null;

  @Field(() => GraphQLDateTime, { description: "When the score that counts was submitted." })
  @Shared("PUBLIC")
  submittedAt!: string;

  @Field(() => Float, {
    description:
      "How much of the board this score is at least as good as, in percent: 100 for the best " +
      "score, never 0.",
  })
  @Shared("PUBLIC")
  percentile!: number;

  /** The owner's name where it is loaded already; not a field. */
  knownLabel!: string | null;
}

export const { Connection: LeaderboardEntryConnection } = declareConnection(
  "LeaderboardEntry",
  "entries",
  () => LeaderboardEntry,
);
export const { Connection: LeaderboardConnection } = declareConnection(
  "Leaderboard",
  "leaderboards",
  () => Leaderboard,
);

/** Event of `Subscription.leaderboardChanged`. */
@ObjectType({
  description:
    "The top of a leaderboard in the present period, sent at the start and after every change.",
  simpleResolvers: true,
})
export class LeaderboardSnapshot {
  @Field(() => Leaderboard, {
    description:
      "The board that is watched. Its `entries` and `total` are those of this event, with the " +
      "arguments of a query: select them as the query does, and a cache that knows objects by " +
      "their ids merges them.",
  })
  @Shared("PUBLIC")
  leaderboard!: Leaderboard;

  @Field(() => PeriodEnum, { description: "The period that is watched." })
  @Shared("PUBLIC")
  period!: Period;

  @Field(() => String, {
    description:
      "Version of the board as a decimal integer: it rises with every score and never goes back.",
  })
  @Shared("PUBLIC")
  version!: string;

  @Field(() => [LeaderboardEntry], {
    description: "The best entries, at most as many as were asked for.",
  })
  @Shared("PUBLIC")
  entries!: readonly LeaderboardEntry[];

  @Field(() => Int, { description: "How many entries the board has in this period." })
  @Shared("PUBLIC")
  total!: number;
}

/** Selects a period of a board. */
@ArgsType()
export class PeriodArgs {
  @Field(() => PeriodEnum, {
    nullable: true,
    defaultValue: "ALL_TIME",
    description:
      "The period; one that the board is not kept for is BAD_USER_INPUT. Null means ALL_TIME.",
  })
  period!: Period | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description:
      "Any moment of the day, week or month that is meant, however long ago: finished ones " +
      "never change. Null means the present one.",
  })
  at?: Date | null;
}

/** Arguments of `Leaderboard.entry`. */
@ArgsType()
export class EntryArgs extends PeriodArgs {
  @Field(() => ID, { description: "Whose entry." })
  owner!: string;
}

/** Arguments of `Leaderboard.around`. */
@ArgsType()
export class AroundArgs extends EntryArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: 5,
    description:
      `How many entries on each side, 0 to ${BOARD_LIMITS.radius}, otherwise BAD_USER_INPUT. ` +
      "Null means 5.",
  })
  @Checked(between(0, BOARD_LIMITS.radius))
  radius!: number | null;
}

/** Arguments of `Leaderboard.entries`. */
@ArgsType()
export class EntriesArgs extends PeriodArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: 10,
    description:
      `Most entries to answer: ${PAGE_SIZE.min} to ${PAGE_SIZE.max}, otherwise BAD_USER_INPUT. ` +
      "Null means 10.",
  })
  @Checked(pageSizeRule)
  first!: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Answer the entries after this cursor: one from this very board and period, otherwise " +
      "BAD_USER_INPUT. Null starts at the top. Whoever moves between two pages may be seen " +
      "twice or not at all; nobody else is.",
  })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      "Begin with the first entry of this rank or a worse one, 1 or more; not together with " +
      "`after`. Otherwise BAD_USER_INPUT.",
  })
  @Checked(atLeast(1))
  fromRank?: number | null;
}
