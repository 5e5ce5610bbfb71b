/** The events of subscriptions, for type-graphql's pub/sub interface. */
import type { PubSub } from "type-graphql";
import { mapStream } from "../domain/concurrency/stream.js";
import { ServiceUnavailable } from "../domain/errors.js";
import type { TopicId, ValueTopicKind } from "../domain/events/events.js";
import type { LogItem } from "../domain/events/log.js";
import type { NotificationEvent } from "../domain/notification.js";
import type { Due, Live } from "../services/live/live.js";
import type { Notifications } from "../services/notification/notifications.js";

/** An event, with what its subscription has sent. */
export type WatchEvent<I extends TopicId = TopicId> = Due<I> & {
  /** Highest version sent, by id: keeps versions from going back. */
  readonly sent: Map<I, number>;
};

/** Checks ids before they are watched; rejects with the error. */
export type Admission = Readonly<
  Partial<Record<ValueTopicKind, (ids: readonly TopicId[]) => Promise<void>>>
>;

/** The log of a user, and the cursor to begin after. */
export interface FollowRequest {
  readonly userId: number;
  readonly after: string | null;
}

export interface FollowedEvent {
  readonly userId: number;
  readonly item: LogItem<NotificationEvent>;
}

/**
 * `topics` of a subscription names the kind, `topicId` the
 * ids, or a {@link FollowRequest}. Closing the iterator
 * releases the topics.
 */
export function createEvents(
  live: Live,
  notifications: Pick<Notifications, "follow">,
  admission: Admission = {},
): PubSub {
  const watch = (kind: ValueTopicKind, ids: readonly TopicId[]) =>
    withMemory(live.watch(kind, ids));
  const follow = ({ userId, after }: FollowRequest) =>
    mapStream(notifications.follow(userId, after), (item): FollowedEvent => ({ userId, item }));
  return {
    publish() {
      throw new Error("Events are published by services, after the write has succeeded.");
    },
    subscribe(kind, what) {
      if (kind === "notification") return follow(what as FollowRequest);
      const [topicKind, ids] = [kind as ValueTopicKind, what as readonly TopicId[]];
      const admitted = admission[topicKind]?.(ids).catch(unlessTransient);
      // graphql-js awaits the stream of a field;
      // type-graphql's type does not say so.
      return (
        admitted ? admitted.then(() => watch(topicKind, ids)) : watch(topicKind, ids)
      ) as AsyncIterable<unknown>;
    },
  };
}

/** Ids that cannot be checked now are watched all the same. */
function unlessTransient(error: unknown): void {
  if (!(error instanceof ServiceUnavailable)) throw error;
}

function withMemory(events: AsyncIterableIterator<Due>): AsyncIterableIterator<WatchEvent> {
  const sent = new Map<TopicId, number>();
  return mapStream(events, (due) => ({ ...due, sent }));
}
