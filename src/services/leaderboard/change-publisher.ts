/**
 * Publishes that a board changed, for each of its
 * periods. It does so at most once per board, process
 * and window. The last change is always published.
 */
import type { BoardRecord } from "../../domain/leaderboard/leaderboard.js";
import type { Period } from "../../domain/leaderboard/periods.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import {
  createThrottledPublisher,
  type ThrottledPublisher,
  type ThrottleOptions,
} from "../throttled-publisher.js";

/** Publishes new versions of boards. */
export type ChangePublisher = ThrottledPublisher<BoardRecord>;

/** The id of a board's period in topics. */
export const boardTopicId = (slug: string, period: Period): string => `${slug}:${period}`;

export function createChangePublisher({
  pubsub,
  ...options
}: ThrottleOptions & { readonly pubsub: Pick<PubSub, "publish"> }): ChangePublisher {
  const send = async ({ slug, periods }: BoardRecord, version: number): Promise<void> => {
    const ids = periods.map((period) => boardTopicId(slug, period));
    await Promise.all(
      ids.map((id) => pubsub.publish({ kind: "leaderboardChanged", id }, { id, version, seen: 0 })),
    );
  };
  return createThrottledPublisher({ ...options, keyOf: ({ id }) => id, send });
}
