/** New leaderboards and submitted scores. */
import { Field, Float, ID, InputType, Int, ObjectType } from "type-graphql";
import {
  BOARD_LIMITS,
  type ScoreOperator,
  type SortOrder,
  type TieRule,
} from "../domain/leaderboard/leaderboard.js";
import { PERIODS, type Period } from "../domain/leaderboard/periods.js";
import { Leaderboard } from "./leaderboard.js";
import { PeriodEnum, ScoreOperatorEnum, SortOrderEnum, TieRuleEnum } from "./leaderboard-words.js";
import { ListSize } from "./price.js";
import { UserError } from "./user-error.js";

@InputType({
  description:
    "A new leaderboard. None of it can be changed later: the ranks that people have depend on it.",
})
export class LeaderboardInput {
  @Field(() => String, {
    description:
      "Names it: a-z, 0-9 and single hyphens between them, otherwise INVALID; at most " +
      `${BOARD_LIMITS.slug} characters, otherwise TOO_LONG; TAKEN when there is one.`,
  })
  slug!: string;

  @Field(() => String, {
    description:
      "Title as shown to everybody: one line, not blank, otherwise REQUIRED; at most " +
      `${BOARD_LIMITS.title} characters, otherwise TOO_LONG.`,
  })
  title!: string;

  @Field(() => ScoreOperatorEnum, {
    nullable: true,
    defaultValue: "BEST",
    description: "Which score of an owner counts. Null means BEST.",
  })
  operator!: ScoreOperator | null;

  @Field(() => SortOrderEnum, {
    nullable: true,
    defaultValue: "DESC",
    description: "Which scores are good. Null means DESC.",
  })
  order!: SortOrder | null;

  @Field(() => TieRuleEnum, {
    nullable: true,
    defaultValue: "FIRST_TO_REACH",
    description: "How equal scores are ranked. Null means FIRST_TO_REACH.",
  })
  tieRule!: TieRule | null;

  @Field(() => [PeriodEnum], {
    nullable: true,
    defaultValue: [...PERIODS],
    description:
      "The periods it is kept for: at least one, otherwise REQUIRED; distinct, otherwise " +
      "INVALID. Null means all of them.",
  })
  periods!: Period[] | null;

  @Field(() => String, {
    nullable: true,
    defaultValue: "UTC",
    description:
      "The IANA time zone in which its days begin, such as Europe/Berlin in any case, " +
      "otherwise INVALID; an offset is none. Null means UTC.",
  })
  timeZone!: string | null;
}

@InputType({ description: "A score for a leaderboard." })
export class ScoreInput {
  @Field(() => String, {
    description:
      "The board. NOT_FOUND when there is none, FORBIDDEN when it is fed by the shop alone.",
  })
  slug!: string;

  @Field(() => Float, {
    description:
      "The score, from -2^53 to 2^53, otherwise OUT_OF_RANGE. So is one that would take a " +
      "sum beyond; then the sum stays as it was.",
  })
  score!: number;

  @Field(() => String, {
    nullable: true,
    description:
      `Anything to be kept with the score, at most ${BOARD_LIMITS.metadata} bytes of UTF-8, ` +
      "otherwise TOO_LONG. Everybody can read it.",
  })
  metadata?: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      "Makes the submission safe to repeat, for good: any string of at most " +
      `${BOARD_LIMITS.operationId} characters that is new for each score of this owner on this ` +
      "board. Sent again with the same score and metadata it counts once; with others, " +
      "IDEMPOTENCY_MISMATCH.",
  })
  operationId?: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      `Whose score it is: any id of at most ${BOARD_LIMITS.owner} characters that shows ` +
      "something, otherwise REQUIRED; kept in Unicode NFC. Only admins may name somebody else, " +
      "otherwise FORBIDDEN. Null means the caller; the service token has to name somebody, " +
      "otherwise REQUIRED.",
  })
  owner?: string | null;
}

/** Answer of `createLeaderboard`. */
@ObjectType({ description: "What became of a new leaderboard.", simpleResolvers: true })
export class LeaderboardPayload {
  @Field(() => Leaderboard, { nullable: true, description: "The board; null when it was refused." })
  leaderboard!: Leaderboard | null;

  @Field(() => [UserError], { description: "Why it was refused; empty when it was made." })
  errors!: readonly UserError[];
}

@ObjectType({ description: "What a score did in one period of the board.", simpleResolvers: true })
export class ScoreChange {
  @Field(() => PeriodEnum, { description: "The period." })
  period!: Period;

  @Field(() => Int, { description: "The owner's rank after it." })
  rank!: number;

  @Field(() => Int, {
    nullable: true,
    description:
      "The owner's rank before it; null for somebody who was not on the board, and where " +
      "nobody can tell any more: Redis had lost the board meanwhile.",
  })
  previousRank!: number | null;

  @Field(() => Float, { description: "The owner's score that counts after it." })
  score!: number;
}

/** Answer of `submitScore`. */
@ObjectType({ description: "What became of a score.", simpleResolvers: true })
export class ScorePayload {
  @ListSize({ most: PERIODS.length })
  @Field(() => [ScoreChange], {
    description:
      "What it did in each period; empty when it was refused. A period that ended between " +
      "the submission and this answer is left out.",
  })
  changes!: readonly ScoreChange[];

  @Field(() => Boolean, {
    description:
      "True when this very submission, by its operation id, was there before. For at least " +
      "ten minutes it is answered as it was; later the ranks are those of now.",
  })
  replayed!: boolean;

  @Field(() => [UserError], { description: "Why it was refused; empty when it counts." })
  errors!: readonly UserError[];
}
