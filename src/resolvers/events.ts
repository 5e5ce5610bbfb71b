/** Where subscriptions get their events: type-graphql's publish/subscribe seam, over the live service. */
import type { PubSub } from "type-graphql";
import type { TopicId, ValueTopicKind } from "../domain/events.js";
import type { Due, Live } from "../services/live.js";

/** An event with the memory of its subscription. */
export type WatchEvent<I extends TopicId = TopicId> = Due<I> & {
  /** Highest version sent so far to this subscription, by id: what keeps versions from going back. */
  readonly sent: Map<I, number>;
};

/** Lets subscriptions watch topics: `topics` names the kind, `topicId` the keys. Closing the iterator releases the topics. */
export function createEvents(live: Live): PubSub {
  return {
    publish() {
      throw new Error("Events are published by services, after the write has succeeded.");
    },
    subscribe: (kind, keys) => withMemory(live.watch(kind as ValueTopicKind, keys as readonly TopicId[])),
  };
}

/** Hand-written, because the `return()` of an async generator waits for a pending `next()`: a quiet subscription would never close. */
function withMemory(events: AsyncIterableIterator<Due>): AsyncIterableIterator<WatchEvent> {
  const sent = new Map<TopicId, number>();
  return {
    async next() {
      const result = await events.next();
      return result.done ? { done: true, value: undefined } : { done: false, value: { ...result.value, sent } };
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
