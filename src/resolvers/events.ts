/** Where subscriptions get their events: type-graphql's publish/subscribe seam, over the live service. */
import type { PubSub } from "type-graphql";
import type { TopicId, ValueTopicKind } from "../domain/events.js";
import type { Due, Live } from "../services/live.js";

/** An event with the memory of its subscription. */
export type WatchEvent<I extends TopicId = TopicId> = Due<I> & {
  /** Highest version sent so far to this subscription, by id: what keeps versions from going back. */
  readonly sent: Map<I, number>;
};

/** By kind, what has to hold before topics are watched; it rejects with what the client is told. Kinds without are watched at once. */
export type Admission = Readonly<Partial<Record<ValueTopicKind, (ids: readonly TopicId[]) => Promise<void>>>>;

/** Lets subscriptions watch topics: `topics` names the kind, `topicId` the keys. Closing the iterator releases the topics. */
export function createEvents(live: Live, admission: Admission = {}): PubSub {
  const watch = (kind: ValueTopicKind, ids: readonly TopicId[]) => withMemory(live.watch(kind, ids));
  return {
    publish() {
      throw new Error("Events are published by services, after the write has succeeded.");
    },
    subscribe(kind, keys) {
      const [topicKind, ids] = [kind as ValueTopicKind, keys as readonly TopicId[]];
      const admitted = admission[topicKind]?.(ids);
      // graphql-js waits for the stream that a field opens, though type-graphql's type does not say so.
      return (admitted ? admitted.then(() => watch(topicKind, ids)) : watch(topicKind, ids)) as AsyncIterable<unknown>;
    },
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
