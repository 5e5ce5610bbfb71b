/** New boards and scores. The services check rights and bounds. */
import { Arg, Ctx, Mutation, Resolver } from "type-graphql";
import { PERIODS } from "../../domain/leaderboard/periods.js";
import {
  LeaderboardInput,
  LeaderboardPayload,
  ScoreInput,
  ScorePayload,
} from "../../schema/leaderboard-change.js";
import type { Leaderboards } from "../../services/leaderboard/leaderboards.js";
import type { Scores } from "../../services/leaderboard/submission.js";
import type { RequestContext } from "../context.js";
import { toLeaderboard } from "./leaderboard.js";

/** The mutations of leaderboards. */
@Resolver()
export class LeaderboardMutations {
  constructor(
    private readonly boards: Leaderboards,
    private readonly scores: Scores,
  ) {}

  @Mutation(() => LeaderboardPayload, {
    description:
      "Makes a leaderboard. Safe to repeat: the second time the slug is TAKEN. ADMIN only, " +
      "otherwise UNAUTHENTICATED or FORBIDDEN.",
  })
  async createLeaderboard(
    @Arg("input", () => LeaderboardInput, { description: "What the board is to be." })
    input: LeaderboardInput,
    @Ctx() ctx: RequestContext,
  ): Promise<LeaderboardPayload> {
    const { slug, title, operator, order, tieRule, periods, timeZone } = input;
    const rules = {
      operator: operator ?? "BEST",
      order: order ?? "DESC",
      tieRule: tieRule ?? "FIRST_TO_REACH",
    } as const;
    const times = { periods: periods ?? PERIODS, timeZone: timeZone ?? "UTC" };
    const { board, errors } = await this.boards.create(ctx.principal, {
      slug,
      title,
      ...rules,
      ...times,
    });
    return { leaderboard: board && toLeaderboard(board), errors };
  }

  @Mutation(() => ScorePayload, {
    description:
      "Submits a score, to all periods of the board at once, and answers the ranks. Without " +
      "`operationId` it must not be repeated blindly. For oneself, or for anybody as ADMIN; " +
      "signed in only, otherwise UNAUTHENTICATED.",
  })
  async submitScore(
    @Arg("input", () => ScoreInput, { description: "The score." }) {
      slug,
      score,
      metadata,
      operationId,
      owner,
    }: ScoreInput,
    @Ctx() ctx: RequestContext,
  ): Promise<ScorePayload> {
    const draft = {
      slug,
      score,
      metadata: metadata ?? null,
      operationId: operationId ?? null,
      owner: owner ?? null,
    };
    return this.scores.submit(ctx.principal, draft);
  }
}
