/**
 * The subscription of boards: every message is the whole top of
 * the present period. All watchers share one read of it.
 */
import { Arg, Int, Resolver, Root, Subscription } from "type-graphql";
import type { TopicId } from "../../domain/events/events.js";
import { BOARD_LIMITS } from "../../domain/leaderboard/leaderboard.js";
import type { Period } from "../../domain/leaderboard/periods.js";
import { LeaderboardSnapshot } from "../../schema/leaderboard.js";
import { PeriodEnum } from "../../schema/leaderboard-words.js";
import { SizesLists } from "../../schema/price.js";
import { Delivers, Shared } from "../../schema/scope.js";
import { boardTopicId } from "../../services/leaderboard/change-publisher.js";
import type { Leaderboards } from "../../services/leaderboard/leaderboards.js";
import type { TopicAdmission, WatchEvent } from "../events.js";
import { toEntry } from "./entry.js";
import { checkBounds, toLeaderboard } from "./leaderboard.js";
import type { WatchedBoard } from "./snapshot.js";

const TOP = 10;

/** The arguments, as the field declares them. */
interface WatchArgs {
  readonly slug: string;
  readonly period?: Period | null;
  readonly top?: number | null;
}

/** `Subscription.leaderboardChanged`. */
@Resolver()
export class LeaderboardSubscriptions {
  constructor(private readonly boards: Pick<Leaderboards, "snapshot">) {}

  @Subscription(() => LeaderboardSnapshot, {
    topics: "leaderboardChanged",
    topicId: ({ args }: { args: WatchArgs }) => watchedTopics(args),
    description:
      "Watches the top of a leaderboard in the present period. Delivery class: snapshot. " +
      "Every message is the whole latest top; one comes at the start, then one after scores " +
      "have come in or the period has changed, conflated (the latest wins, at most one per " +
      "100 ms by default); after any doubt, such as a lost connection on our side, it is " +
      "sent again. Steps in between may be skipped, the last one never.",
  })
  @SizesLists({ entries: { by: "top", most: BOARD_LIMITS.top } })
  @Shared("PUBLIC")
  @Delivers("SNAPSHOT")
  async leaderboardChanged(
    @Arg("slug", () => String, { description: "The board; BAD_USER_INPUT when there is none." })
    slug: string,
    @Arg("period", () => PeriodEnum, {
      nullable: true,
      defaultValue: "ALL_TIME",
      description:
        "The period, whose present day, week or month is watched; BAD_USER_INPUT when the " +
        "board is not kept for it. Null means ALL_TIME.",
    })
    period: Period | null,
    @Arg("top", () => Int, {
      nullable: true,
      defaultValue: TOP,
      description:
        `How many entries from the best down: 1 to ${BOARD_LIMITS.top}, otherwise ` +
        `BAD_USER_INPUT. Null means ${TOP}.`,
    })
    top: number | null,
    @Root() event: WatchEvent<string>,
  ): Promise<LeaderboardSnapshot> {
    const snapshot = await this.boards.snapshot(slug, period ?? "ALL_TIME", top ?? TOP);
    const { board, slice, labels } = snapshot;
    const version = Math.max(slice.version, event.sent.get(event.id) ?? 0);
    event.sent.set(event.id, version);
    const entries = slice.rows.map((row) => toEntry(row, slice.total, labels));
    const leaderboard: WatchedBoard = { ...toLeaderboard(board), snapshot };
    return {
      leaderboard,
      period: slice.period,
      version: String(version),
      entries,
      total: slice.total,
    };
  }
}

/**
 * The topic to watch. Throws BadUserInput for a number out of
 * bounds.
 */
function watchedTopics({ slug, period, top }: WatchArgs): string[] {
  checkBounds(top ?? TOP, { argument: "top", min: 1, max: BOARD_LIMITS.top });
  return [boardTopicId(slug, period ?? "ALL_TIME")];
}

/** Admits only boards that exist, in periods that they keep. */
export function boardsExist(boards: Pick<Leaderboards, "mustExist">): TopicAdmission {
  return {
    async leaderboardChanged(topics: readonly TopicId[]) {
      for (const topic of topics) {
        const [, slug = "", period] = /^(.*):([A-Z_]+)$/s.exec(String(topic)) ?? [];
        await boards.mustExist(slug, period as Period);
      }
    },
  };
}
