/**
 * Where subscriptions get their events: type-graphql's publish/subscribe seam, over the services
 * that watch values and follow logs.
 */
import type { PubSub } from "type-graphql";
import { ServiceUnavailable } from "../domain/errors.js";
import type { TopicId, ValueTopicKind } from "../domain/events/events.js";
import type { LogItem } from "../domain/events/log.js";
import type { NotificationEvent } from "../domain/notification.js";
import type { Due, Live } from "../services/live/live.js";
import type { Notifications } from "../services/notification/notifications.js";

/** An event with the memory of its subscription. */
export type WatchEvent<I extends TopicId = TopicId> = Due<I> & {
  /**
   * Highest version sent so far to this subscription, by id: what keeps versions from going back.
   */
  readonly sent: Map<I, number>;
};

/**
 * By kind, what has to hold before topics are watched; it rejects with what the client is told.
 * Kinds without are watched at once.
 */
export type Admission = Readonly<
  Partial<Record<ValueTopicKind, (ids: readonly TopicId[]) => Promise<void>>>
>;

/** The log that a subscription follows, and the cursor to begin after. */
export interface FollowRequest {
  readonly userId: number;
  readonly after: string | null;
}

/** An event of a log, with whose it is. */
export interface FollowedEvent {
  readonly userId: number;
  readonly item: LogItem<NotificationEvent>;
}

/**
 * Lets subscriptions watch topics: `topics` names the kind; `topicId` the keys, or for a log whose
 * it is and where to begin. Closing the iterator releases the topics.
 */
export function createEvents(
  live: Live,
  notifications: Pick<Notifications, "follow">,
  admission: Admission = {},
): PubSub {
  const watch = (kind: ValueTopicKind, ids: readonly TopicId[]) =>
    withMemory(live.watch(kind, ids));
  const follow = ({ userId, after }: FollowRequest) =>
    mapped(notifications.follow(userId, after), (item): FollowedEvent => ({ userId, item }));
  return {
    publish() {
      throw new Error("Events are published by services, after the write has succeeded.");
    },
    subscribe(kind, what) {
      if (kind === "notification") return follow(what as FollowRequest);
      const [topicKind, ids] = [kind as ValueTopicKind, what as readonly TopicId[]];
      const admitted = admission[topicKind]?.(ids).catch(unlessTransient);
      // graphql-js waits for the stream that a field opens, though type-graphql's type does not say
      // so.
      return (
        admitted ? admitted.then(() => watch(topicKind, ids)) : watch(topicKind, ids)
      ) as AsyncIterable<unknown>;
    },
  };
}

/**
 * What cannot be judged now is watched all the same: its first value says what is wrong, as soon as
 * it can be read.
 */
function unlessTransient(error: unknown): void {
  if (!(error instanceof ServiceUnavailable)) throw error;
}

function withMemory(events: AsyncIterableIterator<Due>): AsyncIterableIterator<WatchEvent> {
  const sent = new Map<TopicId, number>();
  return mapped(events, (due) => ({ ...due, sent }));
}

/**
 * Hand-written, because the `return()` of an async generator waits for a pending `next()`: a quiet
 * subscription would never close.
 */
function mapped<From, To>(
  events: AsyncIterableIterator<From>,
  toEvent: (event: From) => To,
): AsyncIterableIterator<To> {
  return {
    async next() {
      const result = await events.next();
      return result.done
        ? { done: true, value: undefined }
        : { done: false, value: toEvent(result.value) };
    },
    async return() {
      await events.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
