/**
 * Announces that boards changed, at most so often for each board: ten thousand submissions a second
 * are ten publications a second from each process, and the last change is always announced.
 */
import type { BoardRecord } from "../../domain/leaderboard/leaderboard.js";
import type { Period } from "../../domain/leaderboard/periods.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import { type AnnouncerOptions, createAnnouncer } from "../announcer.js";

/** Tells of changes. */
export interface BoardChanges {
  /** A board has a new version: now, or as soon as the last word about it is old enough. */
  changed(board: BoardRecord, version: number): void;
  /** Stops; what has not been told is not. */
  close(): void;
}

/** The name of a board's period in topics. */
export const boardTopicId = (slug: string, period: Period): string => `${slug}:${period}`;

export function createBoardChanges({
  pubsub,
  ...options
}: AnnouncerOptions & { readonly pubsub: Pick<PubSub, "publish"> }): BoardChanges {
  const announcer = createAnnouncer(options);
  return {
    changed: ({ id: board, slug, periods }, version) =>
      announcer.changed(board, version, (latest) =>
        Promise.all(
          periods.map((period) => {
            const id = boardTopicId(slug, period);
            return pubsub.publish(
              { kind: "leaderboardChanged", id },
              { id, version: latest, seen: 0 },
            );
          }),
        ),
      ),
    close: announcer.close,
  };
}
